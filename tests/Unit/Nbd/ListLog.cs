using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Unit.Nbd;

/// <summary>A log that a test reads.</summary>
internal sealed class ListLog : INodeLog
{
    private readonly List<(NodeLogLevel Level, string Sentence)> _lines = [];

    public IEnumerable<string> Warnings => _lines.Where(l => l.Level >= NodeLogLevel.Warning).Select(l => l.Sentence);

    public void Write(NodeLogLevel level, string sentence) => _lines.Add((level, sentence));
}
