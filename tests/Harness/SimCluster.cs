using MirrorController.Firmware.Array;
using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Harness;

/// <summary>A host with its agent's coordinator and some boards, as a script or a seed wants them.</summary>
public sealed class SimCluster
{
    public const string VolumeName = "tank";

    /// <summary>The block of a volume that is not made with another one, in bytes.</summary>
    public const int BlockBytes = 4096;

    public const int BoardPort = 7710;

    private static readonly byte[] _secret = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

    private readonly int _blockBytes;

    /// <param name="world">Where everything lives.</param>
    /// <param name="boards">How many boards.</param>
    /// <param name="sizeBytes">The volume's size.</param>
    /// <param name="options">Changes the coordinator's options.</param>
    /// <param name="eeprom">Whether the boards have EEPROM instead of FRAM.</param>
    /// <param name="chipBytes">The size of the boards' memory chips.</param>
    /// <param name="blockBytes">The volume's block.</param>
    /// <param name="makeBoard">Makes something else in the place of a board's node, by the board's number.</param>
    public SimCluster(
        SimWorld world,
        int boards = 2,
        long sizeBytes = 4L << 20,
        Func<CoordinatorOptions, CoordinatorOptions>? options = null,
        bool eeprom = false,
        int chipBytes = 32 * 1024,
        int blockBytes = BlockBytes,
        Func<int, SimNodeContext, object>? makeBoard = null)
    {
        World = world;
        _blockBytes = blockBytes;
        SizeBytes = sizeBytes;
        var addresses = new List<BoardAddress>();
        for (var i = 0; i < boards; i++)
        {
            var number = i;
            var name = "pi-" + (char)('a' + i);
            addresses.Add(new BoardAddress(name, new NodeAddress(name, BoardPort)));
            var node = new SimNode(world, name, context => makeBoard?.Invoke(number, context) ?? StartBoard(name, context));
            node.AddDisk(sizeBytes + (16L << 20));
            if (eeprom)
            {
                node.AddEeprom(chipBytes);
            }
            else
            {
                node.AddFram(chipBytes);
            }

            Boards.Add(node);
        }

        Options = new CoordinatorOptions { Volume = VolumeName, Boards = addresses, Secret = _secret };
        Options = options?.Invoke(Options) ?? Options;
        Host = new SimNode(world, "host", StartHost);
    }

    /// <summary>Gets the secret that host and boards share.</summary>
    public static byte[] Secret => _secret;

    /// <summary>Gets the volume's id.</summary>
    public static VolumeId Volume { get; } = new(0x1122334455667788, 0x99AABBCCDDEEFF00);

    public SimWorld World { get; }

    public long SizeBytes { get; }

    public List<SimNode> Boards { get; } = [];

    /// <summary>Gets the host; its instance is the coordinator.</summary>
    public SimNode Host { get; }

    public CoordinatorOptions Options { get; }

    /// <summary>Gets or sets the tap in what every node receives; null for none. Set before the nodes start.</summary>
    public FrameTap? Tap { get; set; }

    /// <summary>Gets or sets what changes the boards' options at their next starts.</summary>
    public Func<BoardOptions, BoardOptions> ChangeBoards { get; set; } = options => options;

    /// <summary>Gets the coordinator of the host's present life.</summary>
    public Coordinator Coordinator => (Coordinator)Host.Instance!;

    /// <summary>Gets a board's node of its present life.</summary>
    public BoardNode Board(int index) => (BoardNode)Boards[index].Instance!;

    /// <summary>Makes a cluster whose volume is created, open and in sync.</summary>
    public static SimCluster Started(SimWorld world, int boards = 2, long sizeBytes = 4L << 20, Func<CoordinatorOptions, CoordinatorOptions>? options = null, bool eeprom = false)
    {
        var cluster = new SimCluster(world, boards, sizeBytes, options, eeprom);
        cluster.Boards.ForEach(b => b.Start());
        cluster.CreateVolume();
        cluster.Host.Start();
        cluster.RunUntilInSync();
        return cluster;
    }

    /// <summary>Creates the volume on all boards, over the wire.</summary>
    public void CreateVolume()
    {
        var creator = AddCreator();
        creator.Start();
        World.RunUntil(() => IsCreated(creator), 30_000);
        creator.PowerCut();
    }

    /// <summary>Makes the body of a CREATE for one board.</summary>
    public WireWriter CreateBody(int member, VolumeId volume, bool wipe = false)
    {
        var writer = new WireWriter();
        new CreateRequest
        {
            Volume = volume,
            Name = VolumeName,
            Member = (ushort)member,
            BlockBytes = _blockBytes,
            SizeBytes = SizeBytes,
            Wipe = wipe,
            View = View.First(SessionId.None, 42, MemberSet.Range(Boards.Count), SizeBytes),
        }.WriteTo(writer);
        return writer;
    }

    /// <summary>Makes a node that creates the volume on all boards, as an operator does: again where a creation was cut, and with <c>--wipe</c> where it is asked for.</summary>
    public SimNode AddCreator() => new(World, "creator", context => new Creator(context, this));

    /// <summary>Tells whether a creator has created the volume on all boards.</summary>
    public static bool IsCreated(SimNode creator) => creator.Instance is Creator { IsDone: true };

    /// <summary>Runs until the volume serves and all members are equal.</summary>
    public void RunUntilInSync(long timeoutMs = 60_000) =>
        World.RunUntil(() => Host.IsRunning && Coordinator.Describe().State == VolumeState.InSync, timeoutMs);

    /// <summary>Reads what a board's disk would return now, behind everyone's back.</summary>
    public byte[] PeekBlocks(int board, long block, int count = 1) =>
        Boards[board].Disk.Peek(DataOffset + (block * _blockBytes), count * _blockBytes);

    /// <summary>Gets where block 0 lies on the boards' disks.</summary>
    public long DataOffset => Board(0).Describe().DataOffsetBytes;

    /// <summary>Checks that all members hold the same in every block (section 9, rule 1).</summary>
    public void AssertMirrorsEqual()
    {
        const int StepBytes = 256 * 1024;
        for (long at = 0; at < SizeBytes; at += StepBytes)
        {
            var first = Boards[0].Disk.Peek(DataOffset + at, (int)Math.Min(StepBytes, SizeBytes - at));
            for (var b = 1; b < Boards.Count; b++)
            {
                var other = Boards[b].Disk.Peek(DataOffset + at, (int)Math.Min(StepBytes, SizeBytes - at));
                if (!first.AsSpan().SequenceEqual(other))
                {
                    var differs = first.AsSpan().CommonPrefixLength(other);
                    throw new InvalidOperationException(
                        $"Section 9, rule 1: {Boards[0].Name} and {Boards[b].Name} differ in block {(at + differs) / _blockBytes}. {World.Story}");
                }
            }
        }
    }

    /// <summary>Makes one more host with the same configuration; whoever opens later fences the other.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="authorityOnly">Whether it reconciles and serves nobody.</param>
    public SimNode AddHost(string name, bool authorityOnly = false) =>
        new(World, name, context => StartHost(context, Options with { AuthorityOnly = authorityOnly }));

    private BoardNode StartBoard(string name, SimNodeContext context)
    {
        var board = new BoardNode(
            context.Loop,
            NetworkOf(context),
            context.Random,
            context.Log,
            context.Pool,
            context.Nvm,
            new SimDiskPlace(context.Node.Disk, context.Loop),
            ChangeBoards(new BoardOptions { Name = name, Listen = new NodeAddress(name, BoardPort), Secret = _secret }));
        _ = Watch(context, board.StartAsync());
        return board;
    }

    /// <summary>Gets a node's way to the network, through the tap if there is one.</summary>
    public INetwork NetworkOf(SimNodeContext context) =>
        Tap?.Over(context) ?? (World.IsVerbose ? new TracedNetwork(context) : context.Network);

    /// <summary>Makes a coordinator of the volume, as a host's agent does at its start.</summary>
    public Coordinator StartHost(SimNodeContext context) => StartHost(context, Options);

    private Coordinator StartHost(SimNodeContext context, CoordinatorOptions options)
    {
        var coordinator = new Coordinator(context.Loop, NetworkOf(context), context.Random, context.Log, options);
        coordinator.Start();
        return coordinator;
    }

    private static async Task Watch(SimNodeContext context, Task started)
    {
        try
        {
            await started;
        }
        catch (Exception e)
        {
            context.Loop.Post(() => throw new InvalidOperationException($"{context.Node.Name} did not start: {e}", e));
        }
    }

    /// <summary>Creates the members one after another, as <c>volume create</c> does.</summary>
    private sealed class Creator : IBoardLinkOwner
    {
        private const long RetryMs = 100;

        private readonly SimNodeContext _context;
        private readonly SimCluster _cluster;
        private readonly List<BoardLink> _links = [];
        private readonly HashSet<BoardLink> _created = [];

        public Creator(SimNodeContext context, SimCluster cluster)
        {
            _context = context;
            _cluster = cluster;
            foreach (var board in cluster.Options.Boards)
            {
                var link = new BoardLink(context.Loop, cluster.NetworkOf(context), context.Random, context.Log, this, board.Name, board.Address, _secret);
                _links.Add(link);
                link.Start();
            }
        }

        public bool IsDone => _created.Count == _links.Count;

        public Hello MakeHello(BoardLink link, byte[] nonce) => new() { Role = HelloRole.Creator, VolumeName = VolumeName, Nonce = nonce };

        public void LinkReady(BoardLink link, BoardState state) => _ = CreateAsync(link, wipe: false);

        public void LinkFrame(BoardLink link, in FrameHeader header, Payload? payload)
        {
        }

        public void LinkDrained(BoardLink link)
        {
        }

        public void LinkLost(BoardLink link, string reason)
        {
        }

        private async Task CreateAsync(BoardLink link, bool wipe)
        {
            var answer = await link.AskAsync(new FrameHeader { Command = Command.Create }, _cluster.CreateBody(_links.IndexOf(link), Volume, wipe));
            if (answer.IsOk)
            {
                _created.Add(link);
            }
            else if (answer.Arrived)
            {
                _cluster.World.Note($"creation failed: {answer.Fault}");
                var asked = answer.Fault?.Contains("--wipe", StringComparison.Ordinal) == true;
                _context.Loop.StartTimer(RetryMs, () => _ = link.IsReady ? CreateAsync(link, wipe || asked) : Task.CompletedTask);
            }
        }
    }
}
