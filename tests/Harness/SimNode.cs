namespace MirrorController.Tests.Harness;

/// <summary>The place where a node lives: it can lose its power and start again; its disks and chips stay.</summary>
public sealed class SimNode
{
    private readonly Func<SimNodeContext, object> _factory;
    private readonly List<SimDiskMedia> _disks = [];
    private readonly List<SimNvmMedia> _nvms = [];
    private long _cutAfter = -1;
    private bool _cutSilently;

    /// <param name="world">Where it lives.</param>
    /// <param name="name">Its name, which is its host name, too.</param>
    /// <param name="factory">Makes the node at every start, as a callback of its loop.</param>
    public SimNode(SimWorld world, string name, Func<SimNodeContext, object> factory)
    {
        World = world;
        Name = name;
        _factory = factory;
    }

    public SimWorld World { get; }

    public string Name { get; }

    public bool IsRunning => Loop is { IsDead: false };

    /// <summary>Gets the loop of the current life, or of the last one.</summary>
    public SimLoop? Loop { get; private set; }

    /// <summary>Gets what the factory made for the current life.</summary>
    public object? Instance { get; private set; }

    /// <summary>Gets or sets how fast this node's clock goes, from its next start on; 1 is right.</summary>
    public double ClockRate { get; set; } = 1;

    public SimDiskMedia Disk => _disks.Single();

    public SimNvmMedia Nvm => _nvms.Single();

    public IReadOnlyList<SimDiskMedia> Disks => _disks;

    public IReadOnlyList<SimNvmMedia> Nvms => _nvms;

    /// <summary>Gets how often the node was started.</summary>
    public int StartCount { get; private set; }

    /// <summary>Gets a disk built in, new and all zero.</summary>
    public SimDiskMedia AddDisk(long sizeBytes)
    {
        var disk = new SimDiskMedia(World, $"{Name} disk {_disks.Count}", sizeBytes) { OperationBegins = CountOperation };
        disk.StepTaken = (begins, what) => Tell(begins ? SimStepKind.DiskBegins : SimStepKind.DiskEnds, what);
        _disks.Add(disk);
        return disk;
    }

    /// <summary>Gets a FRAM chip built in, blank.</summary>
    public SimNvmMedia AddFram(int sizeBytes = 32 * 1024) => Add(SimNvmMedia.Fram(World, $"{Name} fram {_nvms.Count}", sizeBytes));

    /// <summary>Gets an EEPROM chip built in, blank.</summary>
    public SimNvmMedia AddEeprom(int sizeBytes = 32 * 1024, int pageBytes = 64) =>
        Add(SimNvmMedia.Eeprom(World, $"{Name} eeprom {_nvms.Count}", sizeBytes, pageBytes));

    /// <summary>Starts the node on its media as they are.</summary>
    public void Start()
    {
        if (IsRunning)
        {
            throw new InvalidOperationException($"{Name} runs already.");
        }

        StartCount++;
        World.Note($"{Name} starts for the {StartCount}. time");
        var loop = new SimLoop(World, Name, StartCount) { ClockRate = ClockRate };
        Loop = loop;
        World.Fabric.NodeStarted(loop);
        var context = new SimNodeContext(
            this,
            loop,
            new SimNetwork(loop),
            [.. _disks.Select(d => d.Open(loop))],
            [.. _nvms.Select(n => n.Open(loop))],
            World.RandomFor($"{Name}, life {StartCount}"),
            new SimLog(World, Name));
        loop.Enter(() => Instance = _factory(context));
    }

    /// <summary>Takes the power away: media keep what their fault model says; timers, posts and callbacks of this life are dead.</summary>
    /// <param name="silent">Whether nobody is told: a pulled plug sends nothing, the end of a process closes its connections.</param>
    public void PowerCut(bool silent = false)
    {
        if (!IsRunning)
        {
            return;
        }

        World.Note($"{Name} loses its power{(silent ? ", silently" : "")}");
        _cutAfter = -1;
        Loop!.Kill();
        World.Fabric.NodeDied(Loop, silent);
        _disks.ForEach(d => d.PowerCut());
        _nvms.ForEach(n => n.PowerCut());
        Instance = null;
    }

    /// <summary>Ends the node's process; the system lives on, and with it the caches of its disks.</summary>
    public void Kill()
    {
        if (!IsRunning)
        {
            return;
        }

        World.Note($"{Name} is killed");
        _cutAfter = -1;
        Loop!.Kill();
        World.Fabric.NodeDied(Loop, silent: false);
        _disks.ForEach(d => d.ProcessEnd());
        // A transfer to the chip ends anywhere: nobody clocks it any more.
        _nvms.ForEach(n => n.PowerCut());
        Instance = null;
    }

    /// <summary>Holds the node up, as a system does that swaps or a process that is stopped: it does nothing, and nobody is told.</summary>
    public void Pause()
    {
        if (IsRunning && !Loop!.IsPaused)
        {
            World.Note($"{Name} stands still");
            Loop.IsPaused = true;
        }
    }

    /// <summary>Lets it go on: what has come in meanwhile is taken in at once.</summary>
    public void Resume()
    {
        if (IsRunning && Loop!.IsPaused)
        {
            World.Note($"{Name} goes on");
            Loop.IsPaused = false;
        }
    }

    /// <summary>Takes the power away while the so-and-so-manieth disk operation or chip write from now is running (1: the next one).</summary>
    public void PowerCutAtOperation(int count, bool silent = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        _cutAfter = count;
        _cutSilently = silent;
    }

    /// <summary>Queues something for the node's loop.</summary>
    public void Post(Action action) => Loop!.Post(action);

    private SimNvmMedia Add(SimNvmMedia nvm)
    {
        nvm.OperationBegins = CountOperation;
        nvm.StepTaken = (begins, what) => Tell(begins ? SimStepKind.NvmWriteBegins : SimStepKind.NvmWriteEnds, what);
        _nvms.Add(nvm);
        return nvm;
    }

    private void Tell(SimStepKind kind, string what)
    {
        if (IsRunning)
        {
            World.StepTaken?.Invoke(new SimStep(kind, Name, null, what));
        }
    }

    private void CountOperation()
    {
        if (_cutAfter > 0 && --_cutAfter == 0)
        {
            PowerCut(_cutSilently);
        }
    }
}
