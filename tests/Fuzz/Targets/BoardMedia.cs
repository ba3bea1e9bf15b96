using System.Buffers.Binary;
using MirrorController.Firmware.Array;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Fuzz.Targets;

/// <summary>
/// A whole board that starts on a chip and a disk as they are: it comes up, tells what it is good for, and serves if it says
/// so. The input: a zero, the chip, the two labels.
/// </summary>
internal sealed class BoardMedia() : FuzzTarget("board-media", "a memory chip and a disk together")
{
    private const int SizeBytes = 1 << 20;
    private const int ChipBytes = 8192;
    private const int LabelAt = 1 + ChipBytes;

    public override int CheckInRuns => 60;

    public override int InputBytesMax => LabelAt + (2 * DiskLabel.Size);

    // The simulated world around the board and its story.
    public override long AllocationFixedBytes => 24 << 20;

    public override int AllocationPerInputByte => 1024;

    public override IEnumerable<byte[]> Seeds()
    {
        foreach (var writes in new[] { 0, 5 })
        {
            var cluster = Cluster();
            cluster.Boards[0].Start();
            cluster.CreateVolume();
            var script = ScriptedCoordinator.Attached(cluster);
            for (var i = 1; i <= writes; i++)
            {
                script.Await(script.Write((ulong)i, i));
            }

            if (writes > 0)
            {
                script.Flush(2);
                script.Retire(1);
            }

            cluster.Boards[0].PowerCut();
            var disk = cluster.Boards[0].Disk;
            yield return [0, .. cluster.Boards[0].Nvm.Bytes, .. disk.Peek(0, DiskLabel.Size), .. disk.Peek(DiskLabel.SecondCopyOffset, DiskLabel.Size)];
        }
    }

    public override void Seal(Span<byte> input)
    {
        if (input.Length >= LabelAt)
        {
            ChipSeal.Seal(input[..LabelAt], 32);
        }

        for (var at = LabelAt; at + DiskLabel.Size <= input.Length; at += DiskLabel.Size)
        {
            var label = input.Slice(at, DiskLabel.Size);
            BinaryPrimitives.WriteUInt32LittleEndian(label[508..], Crc32C.Compute(label[..508]));
        }
    }

    public override bool Run(ReadOnlySpan<byte> input)
    {
        Span<byte> media = stackalloc byte[LabelAt + (2 * DiskLabel.Size)];
        media.Clear();
        input[..Math.Min(input.Length, media.Length)].CopyTo(media);
        var cluster = Cluster();
        var board = cluster.Boards[0];
        media[1..LabelAt].CopyTo(board.Nvm.Bytes);
        board.Disk.WasMade = true;
        board.Disk.Poke(0, media.Slice(LabelAt, DiskLabel.Size));
        board.Disk.Poke(DiskLabel.SecondCopyOffset, media[(LabelAt + DiskLabel.Size)..]);
        board.Start();
        cluster.World.RunFor(500);
        Story.Check(cluster.World);
        var watcher = ScriptedCoordinator.Connect(cluster, role: HelloRole.Status, change: h => h with { Volume = VolumeId.None, VolumeName = string.Empty });
        if (!watcher.IsProven)
        {
            throw new InvalidOperationException($"the board does not say what it is good for: {cluster.World.Story}");
        }

        var state = watcher.State;
        if (state.Condition != BoardCondition.Member)
        {
            return state.Reason.Length > 0 ? false : throw new InvalidOperationException("unusable without a reason");
        }

        var script = ScriptedCoordinator.Connect(cluster, change: h => h with { Volume = state.Volume, VolumeName = state.VolumeName, Member = state.Member });
        if (!script.IsProven || script.Attach(state.Session.Number + 1, 1).Header.Status != WireStatus.Ok)
        {
            return false;
        }

        // What a damaged but whole chip says may fill it up or be in the way: every answer is right, none is wrong.
        script.Ask(script.Frame(Command.ReplayDone));
        script.Await(script.Write(1, 9));
        script.Flush(1);
        return true;
    }

    private static SimCluster Cluster() => new(new SimWorld(1), boards: 1, sizeBytes: SizeBytes, chipBytes: ChipBytes);
}
