namespace MirrorController.Tests.Harness.CrashPoints;

/// <summary>Counts the steps of a story's nodes, and takes the power away at one of them.</summary>
internal sealed class CrashCutter
{
    private readonly CrashStory _story;
    private readonly Dictionary<string, List<bool>> _steps = new(StringComparer.Ordinal);
    private CrashPoint? _point;
    private bool _counting;
    private int _seen;

    public CrashCutter(CrashStory story)
    {
        _story = story;
        story.World.StepTaken = Take;
    }

    /// <summary>Gets whether the power has gone.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Gets the steps of each victim since the counting began: whether a cut there leaves something else than one at its step before.</summary>
    public IReadOnlyDictionary<string, List<bool>> Steps => _steps;

    /// <summary>Gets or sets whether each step is noted in the log.</summary>
    public bool NotesSteps { get; set; }

    /// <summary>Gets the nodes that lost their power at the cut.</summary>
    public List<SimNode> Victims { get; } = [];

    /// <summary>Counts from now on; with a point, cuts there.</summary>
    public void Begin(CrashPoint? point)
    {
        _steps.Clear();
        _seen = 0;
        _point = point;
        _counting = true;
        IsCut = false;
        Victims.Clear();
    }

    /// <summary>Counts and cuts no more.</summary>
    public void End()
    {
        _counting = false;
        IsCut = false;
    }

    public void ThrowIfCut()
    {
        if (IsCut)
        {
            throw new CrashCutException();
        }
    }

    /// <summary>Takes the power of a victim away, now.</summary>
    public void Cut(string victim, CrashMode mode)
    {
        _story.LookAtHosts();
        _story.World.CutMedia = mode.Media;
        foreach (var node in Nodes())
        {
            if (node.IsRunning && Concerns(victim, node.Name))
            {
                Victims.Add(node);
                node.PowerCut(mode.Silent);
            }
        }

        _story.World.CutMedia = SimCutMedia.Drawn;
    }

    /// <summary>Gets all who can lose their power.</summary>
    public IEnumerable<string> AllVictims()
    {
        foreach (var node in Nodes())
        {
            yield return node.Name;
        }

        yield return CrashPoint.AllBoards;
        yield return CrashPoint.Everything;
    }

    private IEnumerable<SimNode> Nodes()
    {
        foreach (var board in _story.Boards)
        {
            yield return board;
        }

        foreach (var host in _story.Hosts)
        {
            yield return host.Node;
        }

        yield return _story.Creator;
    }

    private bool Concerns(string victim, string node) => victim switch
    {
        CrashPoint.Everything => true,
        CrashPoint.AllBoards => _story.Boards.Exists(b => b.Name == node),
        _ => victim == node,
    };

    private void Take(SimStep step)
    {
        if (!_counting || IsCut)
        {
            return;
        }

        if (_point is not { } point)
        {
            foreach (var victim in AllVictims())
            {
                if (Concerns(victim, step))
                {
                    if (!_steps.TryGetValue(victim, out var kinds))
                    {
                        _steps.Add(victim, kinds = []);
                    }

                    kinds.Add(LeavesMore(victim, step));
                }
            }

            if (NotesSteps)
            {
                Note(step, CrashPoint.Everything, _steps[CrashPoint.Everything].Count);
            }

            return;
        }

        if (!Concerns(point.Victim, step))
        {
            return;
        }

        _seen++;
        if (NotesSteps)
        {
            Note(step, point.Victim, _seen);
        }

        if (_seen == point.Step)
        {
            if (!NotesSteps)
            {
                Note(step, point.Victim, _seen);
            }

            IsCut = true;
            Cut(point.Victim, point.Mode);
        }
    }

    /// <summary>
    /// A frame that the victim was about to take leaves what its step before left, for it had not taken it. One that it has sent does leave
    /// something: its peer has it, if that lives on. Handshakes change nothing.
    /// </summary>
    private bool LeavesMore(string victim, in SimStep step) =>
        step.Peer is null || (!step.IsHandshake && Concerns(victim, step.Peer) && !Concerns(victim, step.Node));

    private bool Concerns(string victim, in SimStep step) => Concerns(victim, step.Node) || (step.Peer is not null && Concerns(victim, step.Peer));

    private void Note(in SimStep step, string victim, int number)
    {
        var at = step.Peer is null ? step.Node : $"{step.Node} from {step.Peer}";
        _story.World.Note($"step {victim}:{number}: {step.Kind} at {at}: {step.What}");
    }
}
