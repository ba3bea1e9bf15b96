using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Harness;

/// <summary>A frame as it is about to arrive.</summary>
/// <param name="From">The sending node's name.</param>
/// <param name="To">The receiving node's name.</param>
/// <param name="Header">The frame's head.</param>
/// <param name="AtMicros">When it arrived, in virtual time.</param>
public readonly record struct TappedFrame(string From, string To, FrameHeader Header, long AtMicros)
{
    /// <summary>Tells whether it is such a command on its way to a board.</summary>
    public bool Is(Command command, string to) => Header.Command == command && To == to;

    /// <summary>Tells whether it is the answer to such a command, from a board.</summary>
    public bool IsReply(Command command, string from) => Header.Command == (command | Command.Reply) && From == from;
}

/// <summary>Looks at every frame between the nodes of a cluster, and may hold some up.</summary>
/// <remarks>
/// A held frame holds up all that comes behind it on its connection, in its direction, as a stream does; unless
/// <see cref="IsOvertaken"/>, which is right for answers: a board gives them in any order.
/// </remarks>
public sealed class FrameTap
{
    private readonly List<TappedStream> _streams = [];

    /// <summary>Gets the frames that have arrived, pings and handshakes left out.</summary>
    public List<TappedFrame> Frames { get; } = [];

    /// <summary>Gets or sets which frames are held up.</summary>
    public Func<TappedFrame, bool>? Holds { get; set; }

    /// <summary>Gets or sets whether what comes behind a held frame overtakes it.</summary>
    public bool IsOvertaken { get; set; }

    /// <summary>Gets or sets who is told of a frame just before it is delivered.</summary>
    public Action<TappedFrame>? Arrives { get; set; }

    /// <summary>Gets whether a frame is held up now.</summary>
    public bool IsHolding => _streams.Any(s => s.IsHolding);

    /// <summary>Counts the frames of a command that have arrived at a board.</summary>
    public int Count(Command command, string? to = null) => Frames.Count(f => f.Header.Command == command && (to is null || f.To == to));

    /// <summary>Holds up nothing more; what was held up arrives, in order, where the connection still stands.</summary>
    public void Release()
    {
        Holds = null;
        IsOvertaken = false;
        foreach (var stream in _streams.ToArray())
        {
            stream.Release();
        }
    }

    /// <summary>Puts the tap into a node's way to the network.</summary>
    public INetwork Over(SimNodeContext context) => new TappedNetwork(this, context);

    internal TappedStream Open(SimNodeContext context, IConnectionHandler handler)
    {
        var stream = new TappedStream(this, context, handler);
        _streams.Add(stream);
        return stream;
    }

    internal void Close(TappedStream stream) => _streams.Remove(stream);
}
