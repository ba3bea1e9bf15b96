using MirrorController.Protocol.Seams;

namespace MirrorController.Runtime;

/// <summary>A log on standard error, from a level on.</summary>
public sealed class ConsoleLog(NodeLogLevel from = NodeLogLevel.Info) : INodeLog
{
    /// <inheritdoc/>
    public void Write(NodeLogLevel level, string sentence)
    {
        if (level >= from)
        {
            Console.Error.WriteLine(LogLine.Format(level, sentence));
        }
    }
}
