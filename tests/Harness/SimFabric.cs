using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>The network between the nodes: who listens where, and what is wrong with the way between two of them.</summary>
/// <remarks>A host name is a node's name; <c>localhost</c> and <c>127.0.0.1</c> are the node itself.</remarks>
public sealed class SimFabric(SimWorld world)
{
    private const int FirstFreePort = 40_000;
    private const long RetryMicros = 200_000;

    private readonly Dictionary<(string Host, int Port), SimListener> _listeners = [];
    private readonly HashSet<(string From, string To)> _blocked = [];
    private readonly Dictionary<(string, string), long> _slow = [];
    private readonly Dictionary<(string, string), int> _made = [];
    private readonly HashSet<string> _unanswering = [];
    private readonly List<SimConnection> _connections = [];
    private int _nextPort = FirstFreePort;

    internal SimWorld World => world;

    /// <summary>Holds up everything between two nodes, like a way that drops packets: nobody is told.</summary>
    public void Block(string a, string b)
    {
        world.Note($"network: {a} and {b} do not reach each other");
        _blocked.Add((a, b));
        _blocked.Add((b, a));
    }

    /// <summary>Holds up everything on its way from one node to another; what goes the other way arrives.</summary>
    public void BlockWay(string from, string to)
    {
        world.Note($"network: nothing from {from} reaches {to}");
        _blocked.Add((from, to));
    }

    /// <summary>Makes the way between two nodes slower; 0 ends it.</summary>
    public void Slow(string a, string b, long moreMicros)
    {
        world.Note($"network: {a} and {b} are {moreMicros} microseconds further apart");
        _slow[Pair(a, b)] = moreMicros;
    }

    /// <summary>Lets everything through again; what was held up arrives, in order, where the connection still stands.</summary>
    public void Heal(string a, string b)
    {
        if (_blocked.Remove((a, b)) | _blocked.Remove((b, a)))
        {
            world.Note($"network: {a} and {b} reach each other again");
            foreach (var connection in Between(a, b))
            {
                connection.Healed();
            }
        }
    }

    /// <summary>Heals every block and every slow way.</summary>
    public void HealAll()
    {
        _slow.Clear();
        foreach (var (a, b) in _blocked.ToArray())
        {
            Heal(a, b);
        }
    }

    /// <summary>Breaks the connections between two nodes; both ends are told. New ones can be made at once.</summary>
    public void CutLoud(string a, string b)
    {
        world.Note($"network: connections between {a} and {b} are reset");
        foreach (var connection in Between(a, b))
        {
            connection.ResetSoon("The connection was reset by the peer.");
        }
    }

    /// <summary>Turns one bit of what is sent next on each connection between two nodes; checksums of the network do not see it.</summary>
    public void Garble(string a, string b)
    {
        world.Note($"network: a bit is turned between {a} and {b}");
        foreach (var connection in Between(a, b))
        {
            connection.IsGarbled = true;
        }
    }

    /// <summary>Breaks the connections between two nodes; nobody is told, and nothing arrives on them any more.</summary>
    public void CutSilent(string a, string b)
    {
        world.Note($"network: connections between {a} and {b} go dead");
        foreach (var connection in Between(a, b))
        {
            connection.IsDead = true;
        }
    }

    /// <summary>Tells whether nothing gets from one node to another.</summary>
    public bool IsBlocked(string from, string to) => _blocked.Contains((from, to));

    /// <summary>Makes the random numbers of the next connection between two nodes.</summary>
    internal SimRandom RandomOf(string from, string to)
    {
        var number = _made[(from, to)] = _made.GetValueOrDefault((from, to)) + 1;
        return world.RandomFor($"connection {number} from {from} to {to}");
    }

    internal void Add(SimConnection connection) => _connections.Add(connection);

    internal void Remove(SimConnection connection) => _connections.Remove(connection);

    internal SimListener Listen(SimLoop loop, NodeAddress address, Func<IConnection, IConnectionHandler> accept)
    {
        var port = address.Port == 0 ? _nextPort++ : address.Port;
        if (_listeners.ContainsKey((loop.Name, port)))
        {
            throw new IOException($"Cannot listen on {address}: the address is in use.");
        }

        var listener = new SimListener(this, loop, address with { Port = port }, accept);
        if (loop.IsDead)
        {
            return listener;
        }

        _listeners.Add((loop.Name, port), listener);
        return listener;
    }

    internal void Remove(SimListener listener)
    {
        // A listener of an earlier life does not close the one of today.
        if (ReferenceEquals(_listeners.GetValueOrDefault((listener.Loop.Name, listener.Address.Port)), listener))
        {
            _listeners.Remove((listener.Loop.Name, listener.Address.Port));
        }
    }

    /// <summary>Makes an address that gives no answer at all.</summary>
    public NodeAddress AddUnansweringHost(string name)
    {
        _unanswering.Add(name);
        return new NodeAddress(name, 1);
    }

    internal void Knock(SimConnection client, NodeAddress address)
    {
        world.ScheduleIn(client.NextDelay(), () =>
        {
            if (!client.IsConnecting)
            {
                return;
            }

            if (_unanswering.Contains(client.PeerHost) || IsBlocked(client.Loop.Name, client.PeerHost) || IsBlocked(client.PeerHost, client.Loop.Name))
            {
                // As a system does it: knock again until the caller loses patience.
                world.ScheduleIn(RetryMicros, () => Knock(client, address));
            }
            else if (_listeners.TryGetValue((client.PeerHost, address.Port), out var listener))
            {
                listener.Loop.Arrive(() => SimConnection.Accept(listener, client));
            }
            else
            {
                client.ResetSoon($"Cannot connect to {address}: Connection refused.");
            }
        });
    }

    /// <summary>A node has died: its listeners and its ends of connections are gone.</summary>
    internal void NodeDied(SimLoop loop, bool silent)
    {
        foreach (var listener in _listeners.Values.Where(l => ReferenceEquals(l.Loop, loop)).ToArray())
        {
            Remove(listener);
        }

        if (silent)
        {
            _unanswering.Add(loop.Name);
        }

        foreach (var connection in _connections.Where(c => ReferenceEquals(c.Loop, loop)).ToArray())
        {
            connection.OwnerDied(silent);
        }
    }

    internal void NodeStarted(SimLoop loop)
    {
        _unanswering.Remove(loop.Name);
        var random = RandomOf(loop.Name, "old connections");
        foreach (var connection in _connections.Where(c => c.PeerHost == loop.Name && c.IsDead))
        {
            connection.PeerIsReborn = random.OneIn(2);
        }
    }

    internal long Delay(SimRandom random, string a, string b) =>
        (_slow.Count == 0 ? 0 : _slow.GetValueOrDefault(Pair(a, b))) + random.Between(world.Options.NetDelayMinMicros, world.Options.NetDelayMaxMicros);

    private static (string, string) Pair(string a, string b) => string.CompareOrdinal(a, b) <= 0 ? (a, b) : (b, a);

    private SimConnection[] Between(string a, string b) =>
        [.. _connections.Where(c => (c.Loop.Name == a && c.PeerHost == b) || (c.Loop.Name == b && c.PeerHost == a))];
}
