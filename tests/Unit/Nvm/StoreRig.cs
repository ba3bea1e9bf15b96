using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;

namespace MirrorController.Tests.Unit.Nvm;

/// <summary>A store on a chip in memory, with what a test needs around it.</summary>
internal sealed class StoreRig : IRandomSource, INodeLog
{
    public const long TiB = 1L << 40;

    private readonly Random _random;

    public StoreRig(byte[] image, int pageBytes, int seed = 1)
    {
        _random = new Random(seed);
        Chip = new MemoryNvm(Loop, image, pageBytes, seed);
        Store = new NvmStore(Loop, Chip, this, this);
    }

    public TestLoop Loop { get; } = new();

    public MemoryNvm Chip { get; }

    public NvmStore Store { get; }

    public NvmVolume Volume => Store.Volume(0)!;

    public List<string> Log { get; } = [];

    public static VolumeRecord Record(int slot = 0, long sizeBytes = TiB, long sizeMaxBytes = TiB) => new()
    {
        VolumeId = new Guid(0x11111111, (short)slot, 1, 1, 2, 3, 4, 5, 6, 7, 8),
        Name = slot == 0 ? "tank" : $"tank{slot}",
        State = VolumeState.Live,
        Member = 1,
        SizeBytes = sizeBytes,
        SizeMaxBytes = sizeMaxBytes,
    };

    /// <summary>A new chip with its volumes, started.</summary>
    public static StoreRig Fresh(int chipBytes = 32768, int pageBytes = 1, int volumes = 1, long sizeMaxBytes = TiB)
    {
        var rig = new StoreRig(new byte[chipBytes], pageBytes);
        Assert.Equal(NvmOpenState.Blank, rig.Open().State);
        rig.Good(() => rig.Store.FormatAsync(volumes));
        rig.Good(rig.Store.StartAsync);
        for (var slot = 0; slot < volumes; slot++)
        {
            var record = Record(slot, sizeMaxBytes: sizeMaxBytes);
            var at = slot;
            rig.Good(() => rig.Store.CreateVolumeAsync(at, record));
        }

        return rig;
    }

    /// <summary>The same chip after the power came back: opened, not started.</summary>
    public StoreRig Reopened(int seed = 2)
    {
        var rig = new StoreRig([.. Chip.Image], Chip.PageBytes, seed);
        var result = rig.Open();
        Assert.True(result.State == NvmOpenState.Ok, result.Sentence);
        return rig;
    }

    public StoreRig Restarted(int seed = 2)
    {
        var rig = Reopened(seed);
        rig.Good(rig.Store.StartAsync);
        return rig;
    }

    public NvmOpenResult Open() => Loop.Run(Store.OpenAsync);

    public void Good(Func<Task<IoStatus>> procedure)
    {
        var status = Loop.Run(procedure);
        Assert.True(status.IsOk, status.Fault);
    }

    public void Append(ulong sequence, long block, int count = 1, ushort generator = 0, int slot = 0, uint session = 1)
    {
        var entry = Store.Volume(slot)!.Table.NewEntry();
        entry.Tag = Tag.Of(session, sequence);
        entry.Range = new BlockRange(block, count);
        entry.Generator = generator;
        Store.AppendEntry(slot, entry);
    }

    public void Retire(Tag tag, int slot = 0) => Loop.Within(() => Store.SetRetired(slot, tag));

    public Outcome Commit()
    {
        var outcome = new Outcome();
        Loop.Within(() => Store.Commit(outcome));
        Assert.False(outcome.Ended, "a completion never runs within the call that began it");
        Loop.RunAll();
        return outcome;
    }

    public void CommitGood()
    {
        var outcome = Commit();
        Assert.True(outcome.Ended && outcome.Status.IsOk, outcome.Status.Fault);
    }

    public void Fill(Span<byte> bytes) => _random.NextBytes(bytes);

    public void Write(NodeLogLevel level, string sentence) => Log.Add(sentence);

    /// <summary>What a completion was told.</summary>
    internal sealed class Outcome : ICompletion
    {
        public bool Ended { get; private set; }

        public IoStatus Status { get; private set; }

        public void Completed(IoStatus status)
        {
            Assert.False(Ended, "a completion comes once");
            Ended = true;
            Status = status;
        }
    }
}
