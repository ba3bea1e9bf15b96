namespace MirrorController.Tests.EndToEnd.Nbd;

public class NbdShellTests
{
    // As the package's nbdsh does, but with the system's own Python, for which the package is made.
    private const string Python = "/usr/bin/python3";

    [Fact]
    public void Requests_that_cannot_be_are_refused_with_the_errors_of_the_specification()
    {
        using var lab = new NbdLab(sizeBytes: 1 << 20);
        Shell(
            lab,
            """
            import errno
            h.set_strict_mode(0)
            def refused(number, call, *args):
                try:
                    call(*args)
                except nbd.Error as e:
                    assert e.errnum == number, (e.errnum, number, args[-1])
                    return
                assert False, "not refused"
            refused(errno.EINVAL, h.pread, 2, (1 << 20) - 1)
            refused(errno.ENOSPC, h.pwrite, b"ab", (1 << 20) - 1)
            refused(errno.EINVAL, h.trim, 4096, 0)
            refused(errno.EINVAL, h.zero, 4096, 0)
            refused(errno.EINVAL, h.cache, 4096, 0)
            refused(errno.EINVAL, h.pread, 512, 0, 1 << 14)
            h.pwrite(b"still here", 0)
            assert h.pread(10, 0) == b"still here"
            h.shutdown()
            """);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Clients_of_every_handshake_are_served(int flags)
    {
        using var lab = new NbdLab(sizeBytes: 1 << 20);
        Tools.Run(
            Python,
            "-m",
            "nbd",
            "-c",
            $"""
            h.set_handshake_flags({flags})
            h.connect_uri("{lab.Uri}")
            assert h.get_size() == 1 << 20
            h.pwrite(b"hello", 1234)
            assert h.pread(7, 1233) == b"\0hello\0"
            h.flush()
            h.shutdown()
            """);
    }

    [Fact]
    public void What_one_client_writes_another_reads_and_flushes()
    {
        using var lab = new NbdLab();
        Shell(
            lab,
            $"""
            other = nbd.NBD()
            other.connect_uri("{lab.Uri}")
            assert h.can_multi_conn()
            data = bytes(range(256)) * 4096
            h.pwrite(data, 100)
            h.pwrite(b"durable", 50, nbd.CMD_FLAG_FUA)
            other.flush()
            assert other.pread(len(data), 100) == data
            assert other.pread(7, 50) == b"durable"
            other.shutdown()
            h.shutdown()
            """);
    }

    [Fact]
    public void The_longest_requests_work_at_any_offset()
    {
        using var lab = new NbdLab();
        Shell(
            lab,
            """
            import os
            data = os.urandom(32 << 20)
            h.pwrite(data, 1000001)
            assert h.pread(len(data), 1000001) == data
            assert h.pread(1, 1000000) == b"\0"
            h.shutdown()
            """);
    }

    [Fact]
    public void A_stop_of_the_server_answers_what_is_outstanding_and_sends_clients_away()
    {
        using var lab = new NbdLab();
        Shell(lab, "h.pwrite(b'x', 0)");
        lab.Stop();
        Tools.Run(60_000, 1, "nbdinfo", lab.Uri);
    }

    private static void Shell(NbdLab lab, string script) => Tools.Run(Python, "-m", "nbd", "-u", lab.Uri, "-c", script);
}
