using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Unit.Nvm;

/// <summary>A chip in memory. Its power can be cut at any byte; its transfers can be made to fail.</summary>
internal sealed class MemoryNvm : INvm
{
    private readonly ILoop _loop;
    private readonly Random _garbage;
    private bool _busy;

    public MemoryNvm(ILoop loop, byte[] image, int pageBytes, int seed = 0)
    {
        _loop = loop;
        Image = image;
        PageBytes = pageBytes;
        _garbage = new Random(seed);
    }

    public byte[] Image { get; }

    public string Kind => PageBytes == 1 ? "fram memory" : "eeprom memory";

    public int SizeBytes => Image.Length;

    public int PageBytes { get; }

    /// <summary>Gets or sets after how many more bytes the power goes.</summary>
    public long CutAfterBytes { get; set; } = long.MaxValue;

    public bool IsCut { get; private set; }

    public long BytesWritten { get; private set; }

    /// <summary>Gets or sets how many of the next writes fail and leave garbage.</summary>
    public int FailingWrites { get; set; }

    /// <summary>Gets or sets how many of the next writes end well but store garbage in their first byte.</summary>
    public int LyingWrites { get; set; }

    public List<(int Address, int Length)> Writes { get; } = [];

    public void Read(int address, Memory<byte> into, ICompletion done)
    {
        Begin(address, into.Length);
        if (!IsCut)
        {
            Image.AsSpan(address, into.Length).CopyTo(into.Span);
            End(done, IoStatus.Ok);
        }
    }

    public void Write(int address, ReadOnlyMemory<byte> data, ICompletion done)
    {
        Begin(address, data.Length);
        if (IsCut)
        {
            return;
        }

        Writes.Add((address, data.Length));
        if (data.Length > CutAfterBytes)
        {
            IsCut = true;
            var stored = (int)CutAfterBytes;
            data.Span[..stored].CopyTo(Image.AsSpan(address));
            BytesWritten += stored;
            if (PageBytes > 1)
            {
                var page = (address + stored) / PageBytes * PageBytes;
                _garbage.NextBytes(Image.AsSpan(page, PageBytes));
            }

            return;
        }

        CutAfterBytes -= data.Length;
        BytesWritten += data.Length;
        if (FailingWrites > 0)
        {
            FailingWrites--;
            _garbage.NextBytes(Image.AsSpan(address, data.Length));
            End(done, new IoStatus("the bus gave no answer"));
            return;
        }

        data.Span.CopyTo(Image.AsSpan(address));
        if (LyingWrites > 0)
        {
            LyingWrites--;
            Image[address] ^= 0x55;
        }

        End(done, IoStatus.Ok);
    }

    private void Begin(int address, int length)
    {
        Assert.False(_busy && !IsCut, "one operation at a time");
        Assert.True(address >= 0 && length > 0 && address + length <= SizeBytes, "no transfer crosses the chip's end");
        _busy = true;
    }

    private void End(ICompletion done, IoStatus status) => _loop.Post(() =>
    {
        _busy = false;
        done.Completed(status);
    });
}
