using MirrorController.Protocol.Seams;

namespace MirrorController.Runtime;

/// <summary>The look of a line in a log: time, level, sentence.</summary>
internal static class LogLine
{
    public static string Format(NodeLogLevel level, string sentence) =>
        $"{DateTime.UtcNow:yyyy-MM-ddTHH:mm:ss.fffZ} {Name(level)} {sentence.ReplaceLineEndings(" ")}";

    private static string Name(NodeLogLevel level) => level switch
    {
        NodeLogLevel.Debug => "debug  ",
        NodeLogLevel.Info => "info   ",
        NodeLogLevel.Warning => "warning",
        _ => "error  ",
    };
}
