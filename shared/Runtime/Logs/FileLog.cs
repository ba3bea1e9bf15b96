using MirrorController.Protocol.Seams;

namespace MirrorController.Runtime;

/// <summary>A log in a file that is appended to, from a level on; each line is with the system when the call returns.</summary>
/// <remarks>A log that cannot be written never stops storage: the lines are lost.</remarks>
public sealed class FileLog : INodeLog, IDisposable
{
    private readonly StreamWriter _writer;
    private readonly Lock _lock = new();
    private readonly NodeLogLevel _from;

    /// <summary>Opens the file, or makes it.</summary>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public FileLog(string path, NodeLogLevel from = NodeLogLevel.Info)
    {
        _from = from;
        _writer = new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
    }

    /// <inheritdoc/>
    public void Write(NodeLogLevel level, string sentence)
    {
        if (level < _from)
        {
            return;
        }

        lock (_lock)
        {
            try
            {
                _writer.WriteLine(LogLine.Format(level, sentence));
            }
            catch (IOException)
            {
                // A full disk is the business of the volumes, not of the log.
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _writer.Dispose();
        }
    }
}
