namespace MirrorController.Protocol.Seams;

/// <summary>How much a line of a node's log matters.</summary>
public enum NodeLogLevel
{
    /// <summary>Of interest when a fault is looked for.</summary>
    Debug,

    /// <summary>What an operator likes to know.</summary>
    Info,

    /// <summary>Something is not as it should be, and is being dealt with.</summary>
    Warning,

    /// <summary>Something needs a person.</summary>
    Error,
}

/// <summary>Where a node says what happens: one sentence a line. The hot path says nothing.</summary>
public interface INodeLog
{
    /// <summary>Writes one sentence.</summary>
    void Write(NodeLogLevel level, string sentence);
}

/// <summary>Short names for the levels.</summary>
public static class NodeLogExtensions
{
    public static void Debug(this INodeLog log, string sentence) => log.Write(NodeLogLevel.Debug, sentence);

    public static void Info(this INodeLog log, string sentence) => log.Write(NodeLogLevel.Info, sentence);

    public static void Warning(this INodeLog log, string sentence) => log.Write(NodeLogLevel.Warning, sentence);

    public static void Error(this INodeLog log, string sentence) => log.Write(NodeLogLevel.Error, sentence);
}
