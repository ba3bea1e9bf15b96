using System.Buffers.Binary;
using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Fuzz.Targets;

/// <summary>A whole memory chip, opened, started and used. First byte: 0 for a chip without pages, else one with pages of 32 bytes.</summary>
internal sealed class ChipImages() : FuzzTarget("chip-image", "a memory chip")
{
    private const int ChipBytes = 8192;
    private const int EepromPageBytes = 32;

    public override int CheckInRuns => 400;

    public override int InputBytesMax => ChipBytes + 1;

    // The simulated world around the store, and the store's own image and tables.
    public override long AllocationFixedBytes => 4 << 20;

    public override int AllocationPerInputByte => 256;

    public override IReadOnlyList<byte[]> Words { get; } =
    [
        [0x40, 0x00], [0x42, 0x00, 0x05], [0x62, 7], [0x78, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        [8, 0, 1, 1, 1, 1], [9, 0, 0xFF, 0xFF, 0x03, 0x7F, 1, 1], [11, 0], [10, 0, 0x7F], [5, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
    ];

    public override IEnumerable<byte[]> Seeds() => new[] { 0, 1 }.SelectMany(kind => new[] { 0, 3, 40 }.Select(entries => Make(kind, entries)));

    public override void Seal(Span<byte> input) => ChipSeal.Seal(input, EepromPageBytes);

    public override bool Run(ReadOnlySpan<byte> input)
    {
        var node = Insert(input.IsEmpty ? 0 : input[0], input.Length > 1 ? input[1..] : []);
        var store = Store(node);
        var opened = Do(node, store.OpenAsync);
        if (opened.Sentence.Length == 0)
        {
            throw new InvalidOperationException("judged without a sentence");
        }

        if (opened.State != NvmOpenState.Ok)
        {
            return false;
        }

        // A chip that counts as whole can be used, or fails with a sentence.
        var status = Do(node, store.StartAsync);
        Use(node, store, 1);
        if (status.IsOk && store.Fault is null)
        {
            Reopen(node);
        }

        return status.IsOk ? true : status.Fault!.Length > 0 ? false : throw new InvalidOperationException("failed without a sentence");
    }

    /// <summary>What was accepted and gone on with is accepted again.</summary>
    private static void Reopen(SimNode node)
    {
        node.PowerCut();
        node.Start();
        var again = Do(node, Store(node).OpenAsync);
        if (again.State != NvmOpenState.Ok)
        {
            throw new InvalidOperationException($"the chip was whole, was started and used, and then was not: {again.Sentence}");
        }
    }

    private static SimNode Insert(int kind, ReadOnlySpan<byte> image)
    {
        var node = new SimNode(new SimWorld(1), "board", context => new NvmStore(context.Loop, context.Nvm, context.Random, context.Log));
        var chip = kind == 0 ? node.AddFram(ChipBytes) : node.AddEeprom(ChipBytes, EepromPageBytes);
        image[..Math.Min(image.Length, ChipBytes)].CopyTo(chip.Bytes);
        node.Start();
        return node;
    }

    private static NvmStore Store(SimNode node) => (NvmStore)node.Instance!;

    private static byte[] Make(int kind, int entries)
    {
        var node = Insert(kind, []);
        var store = Store(node);
        Do(node, store.OpenAsync);
        Do(node, () => store.FormatAsync(1));
        Do(node, store.StartAsync);
        Do(node, () => store.CreateVolumeAsync(0, Media.Record with { Session = default }));
        Use(node, store, entries);
        return [(byte)kind, .. node.Nvm.Bytes];
    }

    /// <summary>Appends entries, marks and watermarks to every volume, as a board does.</summary>
    private static void Use(SimNode node, NvmStore store, int entries)
    {
        for (var slot = 0; slot < store.VolumesMax; slot++)
        {
            if (store.Volume(slot) is not { HasRoom: true } volume || store.Fault is not null)
            {
                continue;
            }

            for (var i = 1; i <= entries && volume.HasRoom && store.Fault is null; i++)
            {
                var sequence = (ulong)i;
                var at = slot;
                Do(node, () =>
                {
                    Append(store, at, sequence);
                    return CommitAsync(store);
                });
            }
        }
    }

    private static void Append(NvmStore store, int slot, ulong sequence)
    {
        var volume = store.Volume(slot)!;
        var tag = Tag.Of(0xFFFFFE, sequence);
        if (volume.Table.Find(tag) is not null || tag <= volume.Retired)
        {
            return;
        }

        var entry = volume.Table.NewEntry();
        entry.Tag = tag;
        entry.Range = new BlockRange((long)sequence * 7, 1 + (int)(sequence % 3));
        entry.Generator = (ushort)(sequence % 2);
        store.AppendEntry(slot, entry);
        if (sequence % 5 == 0)
        {
            store.AddMark(slot, new RepairMark(entry.Range, 3, 1));
            store.SetDurable(slot, tag);
            store.SetRetired(slot, Tag.Of(0xFFFFFE, sequence - 2));
        }
    }

    private static async Task<IoStatus> CommitAsync(NvmStore store)
    {
        var done = new Done();
        store.Commit(done);
        return await done.Task;
    }

    private static T Do<T>(SimNode node, Func<Task<T>> procedure)
    {
        Task<T>? task = null;
        node.Post(() => task = procedure());
        if (!node.World.TryRunUntil(() => task is { IsCompleted: true }, 60_000))
        {
            throw new InvalidOperationException("a procedure of the store does not end");
        }

        return task!.GetAwaiter().GetResult();
    }

    private sealed class Done : ICompletion
    {
        private readonly TaskCompletionSource<IoStatus> _source = new();

        public Task<IoStatus> Task => _source.Task;

        public void Completed(IoStatus status) => _source.SetResult(status);
    }
}
