using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Harness.RandomHistory;

/// <summary>An operator who looks and acts while everything else goes on.</summary>
internal sealed class HistoryOperator
{
    private const long PatienceMs = 4000;

    private static readonly VolumeId _otherId = new(0x0102030405060708, 0x090A0B0C0D0E0F10);

    private readonly RandomHistory _history;
    private readonly SimNode _node;
    private Action<OperatorCall>? _begin;
    private int _board;
    private HelloRole _role;

    public HistoryOperator(RandomHistory history)
    {
        _history = history;
        _node = new SimNode(history.World, "operator", context => new OperatorCall(context, history.Cluster, _board, _role, _begin!));
    }

    /// <summary>Compares all members: what is in sync never differs.</summary>
    public void Verify()
    {
        var host = _history.Hosts.Find(h => h.IsRunning && h.Coordinator.SizeBytes > 0);
        host?.Node.Post(() => _ = VerifyAsync(host));
    }

    /// <summary>Asks a board to create its member once more: it is there already, and under another id it is refused.</summary>
    public void CreateAgain(int board, bool sameId) =>
        Call(board, HelloRole.Creator, call => call.Ask(
            new FrameHeader { Command = Command.Create },
            _history.Cluster.CreateBody(board, sameId ? SimCluster.Volume : _otherId),
            answer =>
            {
                if (answer.IsOk && !sameId)
                {
                    throw new Checker.ConsistencyViolationException($"Section 10a: {_history.Cluster.Boards[board].Name} created another volume over the one it holds.");
                }
            }));

    /// <summary>Reads a board's tag table, as <c>table show</c> does.</summary>
    public void ShowTable(int board) =>
        Call(board, HelloRole.Status, call => call.Ask(
            new FrameHeader { Command = Command.Collect },
            null,
            answer =>
            {
                var reader = new WireReader(answer.Body);
                if (answer.IsOk && (BoardState.Read(reader) is null || TableReport.Read(reader) is null))
                {
                    throw new Checker.ConsistencyViolationException($"The tag table of {_history.Cluster.Boards[board].Name} cannot be read.");
                }
            }));

    /// <summary>Goes home.</summary>
    public void Leave() => _node.PowerCut();

    private async Task VerifyAsync(HistoryHost host)
    {
        var loop = host.Node.Loop!;
        try
        {
            var result = await host.Coordinator.VerifyAsync();
            _history.World.Note($"verify: {(result.Completed ? $"{result.Differences.Count} differences" : result.Trouble)}");
            if (result.Completed && result.Differences.Count > 0 && !_history.Plan.ReadsFail)
            {
                throw new Checker.ConsistencyViolationException($"Rule 1: a comparison while the volume serves found differences at {result.Differences[0]}.");
            }
        }
        catch (Exception e)
        {
            loop.Post(() => throw new InvalidOperationException(e.Message, e));
        }
    }

    private void Call(int board, HelloRole role, Action<OperatorCall> begin)
    {
        _node.PowerCut();
        (_board, _role, _begin) = (board, role, begin);
        _node.Start();
        var loop = _node.Loop;
        _history.World.ScheduleIn(PatienceMs * 1000, () =>
        {
            if (ReferenceEquals(_node.Loop, loop))
            {
                _node.PowerCut();
            }
        });
    }
}
