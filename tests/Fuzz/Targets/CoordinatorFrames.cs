using System.Buffers.Binary;
using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;
using VolumeState = MirrorController.Protocol.Coordination.VolumeState;

namespace MirrorController.Tests.Fuzz.Targets;

/// <summary>
/// A whole coordinator and what one of its two boards answers, in the place of the answers of an obedient one, until the input
/// is used up. First byte: 0 from the opening on, 1 from the first write on, 2 from the opening on with the first payload as the
/// board's account of itself in WELCOME. Then answers, each a frame with a byte before
/// it: bit 0, it gets the command of the question; bit 1, it gets the question's id.
/// </summary>
internal sealed class CoordinatorFrames() : FuzzTarget("coordinator", "a board's connection")
{
    private const int SizeBytes = 1 << 20;
    private const byte Fitting = 3;
    private static readonly Command[] Questions =
    [
        Command.Attach, Command.Survey, Command.Collect, Command.StoreView, Command.Write, Command.Read, Command.Flush, Command.Retire, Command.ReplayDone,
        Command.Hash, Command.Copy, Command.Sync, Command.Settle, Command.Finish,
    ];

    public override int CheckInRuns => 60;

    public override int InputBytesMax => 8192;

    // The simulated world around the coordinator and its story.
    public override long AllocationFixedBytes => 48 << 20;

    public override int AllocationPerInputByte => 4096;

    public override IEnumerable<byte[]> Seeds()
    {
        // What the scripted board would say itself, with a table that has to be reconciled.
        var table = new TableReport();
        table.Entries.Add(new ReportedEntry(Tag.Of(1, 5), 1, new BlockRange(3, 2), false, 9));
        table.Marks.Add(new ReportedMark(new BlockRange(9, 1), 1, 1));
        var state = State();
        byte[] attached = [.. WireSamples.Body(state.WriteTo), .. WireSamples.Body(table.WriteTo)];
        var range = WireSamples.Body(w => RangeList.Write(w, [new BlockRange(7, 2)]));
        yield return [0, .. Answer(WireSamples.Body(state.WriteTo)), .. Answer(attached), .. Answer(attached), .. Answer(new byte[16]), .. Answer(), .. Answer(range), .. Answer(), .. Answer()];
        yield return [0, .. Answer(attached), .. Answer(), .. Answer(attached), .. Answer(), .. Answer(), .. Answer(), .. Answer()];
        yield return [2, .. Answer(WireSamples.Body(state.WriteTo)), .. Answer(attached)];
        yield return [1, .. Answer(tag: Tag.Of(1, 1).Value, token: 1), .. Answer(new byte[SimCluster.BlockBytes]), .. Answer(tag: Tag.Of(1, 1).Value), .. Answer()];
        yield return [1, .. Answer(tag: Tag.Of(1, 1).Value, token: 1), .. Answer(status: WireStatus.DiskFault), .. Answer(WireSamples.Body(w => w.Text("no")), WireStatus.NotNow)];
    }

    public override void Seal(Span<byte> input)
    {
        if (input.Length > 0)
        {
            FrameBytes.Seal(input[1..], prefix: 1);
        }
    }

    public override bool Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty)
        {
            return false;
        }

        var answers = Answers(input[1..]);
        var isOpen = input[0] == 1;
        var world = new SimWorld(1);
        var cluster = new SimCluster(
            world,
            2,
            SizeBytes,
            makeBoard: (i, context) => new ScriptedBoard(context, i, 2, SizeBytes));
        cluster.Boards.ForEach(b => b.Start());
        var liar = cluster.Scripted(1);
        if (input[0] == 2 && answers.TryDequeue(out var first))
        {
            liar.Account = first.Frame.AsSpan(Math.Min(first.Frame.Length, FrameHeader.Size)).ToArray();
        }

        if (!isOpen)
        {
            liar.Held.UnionWith(Questions);
        }

        cluster.Host.Start();
        if (isOpen)
        {
            cluster.RunUntilInSync();
            liar.Held.UnionWith(Questions);
        }

        var answered = Converse(cluster, liar, answers);
        var believed = (answered > 0 || liar.Account is not null) && liar.Welcomes <= 1;
        liar.Held.Clear();
        liar.Account = null;
        liar.Disconnect();
        world.RunFor(5000);
        Judge(cluster);
        Story.Check(world);
        return believed;
    }

    /// <summary>Lets applications work while the board answers from the input.</summary>
    private static int Converse(SimCluster cluster, ScriptedBoard liar, Queue<(byte Mode, byte[] Frame)> answers)
    {
        var seen = liar.Received.Count;
        var answered = 0;
        for (var round = 0; round < 40 && (answers.Count > 0 || round < 3); round++)
        {
            if (cluster.Coordinator.Describe().State == VolumeState.InSync)
            {
                Work(cluster, round);
            }

            cluster.World.RunFor(100);
            for (; seen < liar.Received.Count; seen++)
            {
                var question = liar.Received[seen];
                if (!liar.Held.Contains(question.Header.Command))
                {
                    continue;
                }

                if (answers.TryDequeue(out var answer) && answer.Frame.Length > 0)
                {
                    liar.SendRaw(Fit(answer, question.Header));
                    answered++;
                }
                else
                {
                    liar.Obey(question);
                }
            }
        }

        return answered;
    }

    private static void Work(SimCluster cluster, int round)
    {
        _ = cluster.WriteBlock(3 + (round % 5), (ulong)round + 1);
        _ = cluster.ReadBlock(3 + (round % 5));
        if (round % 3 == 2)
        {
            _ = cluster.Flush();
        }
    }

    /// <summary>The coordinator lives: it serves again with a board that has come to its senses, or says why it does not.</summary>
    private static void Judge(SimCluster cluster)
    {
        var status = cluster.Coordinator.Describe();
        if (status.State == VolumeState.InSync && cluster.Await(cluster.WriteBlock(1, 99)).Error is not VolumeError.None)
        {
            throw new InvalidOperationException($"a volume that is in sync fails a write: {cluster.World.Story}");
        }
    }

    private static byte[] Fit((byte Mode, byte[] Frame) answer, in FrameHeader question)
    {
        var bytes = answer.Frame;
        if (bytes.Length < FrameHeader.Size)
        {
            return bytes;
        }

        if ((answer.Mode & 1) != 0)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), (ushort)(question.Command | Command.Reply));
        }

        if ((answer.Mode & 2) != 0)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), question.RequestId);
        }

        if (answer.Mode != 0)
        {
            FrameBytes.Seal(bytes);
        }

        return bytes;
    }

    private static Queue<(byte Mode, byte[] Frame)> Answers(ReadOnlySpan<byte> bytes)
    {
        var answers = new Queue<(byte, byte[])>();
        while (bytes.Length > 1)
        {
            var length = bytes.Length > FrameHeader.Size ? BinaryPrimitives.ReadInt32LittleEndian(bytes[9..]) : -1;
            var whole = length >= 0 && length <= bytes.Length - 1 - FrameHeader.Size ? 1 + FrameHeader.Size + length : bytes.Length;
            answers.Enqueue((bytes[0], bytes[1..whole].ToArray()));
            bytes = bytes[whole..];
        }

        return answers;
    }

    private static byte[] Answer(byte[]? body = null, WireStatus status = WireStatus.Ok, ulong tag = 0, ulong token = 0) =>
    [
        Fitting,
        .. FrameBytes.Make(
            new FrameHeader { Command = Command.Ping | Command.Reply, Status = status, VolumeKey = SimCluster.Volume.Key, Session = 1, BootId = 1001, Tag = tag, Token = token },
            body),
    ];

    private static BoardState State() => WireSamples.State with
    {
        Board = "pi-b",
        BootId = 1001,
        StartCounter = 1,
        Volume = SimCluster.Volume,
        SizeBytes = SizeBytes,
        Session = new Protocol.Views.SessionId(1, 1),
        CoordinatorSession = new Protocol.Views.SessionId(1, 1),
        Durable = Tag.Of(1, 2),
        Retired = Tag.Of(1, 1),
        View = Protocol.Views.View.First(Protocol.Views.SessionId.None, 42, Protocol.Views.MemberSet.Range(2), SizeBytes),
    };
}
