using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>A nonvolatile memory chip, over all lives of its node.</summary>
/// <remarks>
/// Fault model: a write that has ended stays. A power cut during a write leaves a prefix of it; on a chip with pages the
/// page being written then holds anything. A failed write leaves anything in its range, and nowhere else.
/// </remarks>
public sealed class SimNvmMedia
{
    private readonly byte[] _bytes;
    private readonly SimRandom _random;
    private (int Address, byte[] Data)? _running;

    private SimNvmMedia(SimWorld world, string name, string kind, int sizeBytes, int pageBytes)
    {
        World = world;
        Name = name;
        Kind = kind;
        PageBytes = pageBytes;
        _bytes = new byte[sizeBytes];
        _random = world.RandomFor(name);
        Blank(0xFF);
    }

    public SimWorld World { get; }

    public string Name { get; }

    public string Kind { get; }

    public int SizeBytes => _bytes.Length;

    public int PageBytes { get; }

    /// <summary>Gets or sets how many of the next transfers fail.</summary>
    public int FailTransfers { get; set; }

    /// <summary>Gets or sets how many of the next writes are acknowledged and do not stand.</summary>
    public int LieWrites { get; set; }

    /// <summary>Gets or sets whether every transfer fails.</summary>
    public bool IsBroken { get; set; }

    /// <summary>Gets or sets a judge of single transfers: (is write, address, length) to a sentence, or null to let it pass.</summary>
    public Func<bool, int, int, string?>? Judge { get; set; }

    /// <summary>Gets or sets whether transfers begin and do not end until this is false again.</summary>
    public bool IsStuck { get; set; }

    /// <summary>Gets or sets a time added to every transfer: a slow chip.</summary>
    public long ExtraDelayMicros { get; set; }

    /// <summary>Gets how many writes have begun.</summary>
    public long WriteCount { get; private set; }

    /// <summary>Gets where the last write ends.</summary>
    public int LastWriteEnd { get; private set; }

    /// <summary>Gets the bytes as they are, for a test's checks and damages.</summary>
    public Span<byte> Bytes => _bytes;

    /// <summary>Gets or sets who is told that a write begins: a node may lose its power just then.</summary>
    internal Action? OperationBegins { get; set; }

    /// <summary>Gets or sets who is told that a write has begun (true) or ended (false).</summary>
    internal Action<bool, string>? StepTaken { get; set; }

    /// <summary>Makes a FRAM chip: no pages, as fast as the bus.</summary>
    public static SimNvmMedia Fram(SimWorld world, string name, int sizeBytes = 32 * 1024) => new(world, name, "fram (simulated)", sizeBytes, 1);

    /// <summary>Makes an EEPROM chip.</summary>
    public static SimNvmMedia Eeprom(SimWorld world, string name, int sizeBytes = 32 * 1024, int pageBytes = 64) =>
        new(world, name, "eeprom (simulated)", sizeBytes, pageBytes);

    /// <summary>Makes every byte the same, as a chip that was never written.</summary>
    public void Blank(byte value) => System.Array.Fill(_bytes, value);

    /// <summary>Opens the chip for one life of a node.</summary>
    public INvm Open(SimLoop loop) => new SimNvm(this, loop);

    /// <summary>Loses the power: a running write stops at some byte.</summary>
    public void PowerCut()
    {
        if (_running is not { } write)
        {
            return;
        }

        _running = null;
        var drawn = _random.Below(write.Data.Length + 1);
        var kept = World.CutMedia switch
        {
            SimCutMedia.Lost => 0,
            SimCutMedia.Kept => write.Data.Length,
            _ => drawn,
        };
        write.Data.AsSpan(0, kept).CopyTo(_bytes.AsSpan(write.Address));
        if (PageBytes > 1 && kept < write.Data.Length && World.CutMedia != SimCutMedia.Lost)
        {
            // The page is erased and burnt as a whole; cut in the middle it may hold anything, also where nothing was written.
            var at = write.Address + kept;
            _random.Fill(_bytes.AsSpan(at - (at % PageBytes), PageBytes));
        }

        World.Note($"{Name}: the power cut met a write of {write.Data.Length} bytes at {write.Address}, {kept} were stored");
    }

    internal void BeginWrite(int address, ReadOnlySpan<byte> data)
    {
        WriteCount++;
        LastWriteEnd = address + data.Length;
        _running = (address, data.ToArray());
        if (World.IsVerbose)
        {
            World.Note($"{Name}: write {address}+{data.Length} begins");
        }

        OperationBegins?.Invoke();
        Tell(true, address, data.Length);
    }

    internal void Tell(bool begins, int address, int length)
    {
        if (World.StepTaken is not null)
        {
            StepTaken?.Invoke(begins, $"{address}+{length}");
        }
    }

    internal string? EndWrite(int address, ReadOnlyMemory<byte> data)
    {
        if (!_running!.Value.Data.AsSpan().SequenceEqual(data.Span))
        {
            throw new InvalidOperationException($"{Name}: the bytes of a write were changed before the write had ended.");
        }

        _running = null;
        var fault = Fault(true, address, data.Length);
        if (fault is null)
        {
            data.Span.CopyTo(_bytes.AsSpan(address));
            if (LieWrites > 0)
            {
                // What is lost stands at the front: there it is read back, a superblock or the head of a batch.
                LieWrites--;
                World.Note($"{Name}: a write of {data.Length} bytes at {address} does not stand");
                _random.Fill(_bytes.AsSpan(address, Math.Min(data.Length, 4)));
            }
        }
        else
        {
            _random.Fill(_bytes.AsSpan(address, data.Length));
        }

        return fault;
    }

    internal string? EndRead(int address, Memory<byte> into)
    {
        var fault = Fault(false, address, into.Length);
        if (fault is null)
        {
            _bytes.AsSpan(address, into.Length).CopyTo(into.Span);
        }

        return fault;
    }

    internal long NextDelayMicros() =>
        ExtraDelayMicros + (World.Options.NvmDelayMaxMicros == 0 ? 0 : _random.Between(1, World.Options.NvmDelayMaxMicros));

    private string? Fault(bool isWrite, int address, int length)
    {
        if (Judge?.Invoke(isWrite, address, length) is { } sentence)
        {
            return sentence;
        }

        if (IsBroken)
        {
            return "The chip did not answer.";
        }

        if (FailTransfers > 0)
        {
            FailTransfers--;
            return "The chip did not answer.";
        }

        return null;
    }
}
