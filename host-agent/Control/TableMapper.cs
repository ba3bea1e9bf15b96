using MirrorController.Protocol.Wire;

namespace MirrorController.HostAgent.Control;

/// <summary>Turns a board's report into the model that <c>table show</c> prints.</summary>
internal static class TableMapper
{
    /// <summary>Makes the model.</summary>
    /// <exception cref="ControlException">The answer is malformed.</exception>
    public static TableModel Map(string board, LinkAnswer answer)
    {
        var reader = new WireReader(answer.Body);
        if (BoardState.Read(reader) is not { } state || TableReport.Read(reader) is not { } report)
        {
            throw new ControlException($"Board {board} sent a malformed table.");
        }

        return new TableModel
        {
            Board = board,
            Volume = state.VolumeName,
            Entries = [.. report.Entries.OrderBy(e => e.Tag.Value)
                .Select(e => new TableEntryModel(e.Tag.Value, e.Generator, e.Range.Start, e.Range.Count, e.Sure))],
            Marks = [.. report.Marks.Select(m => new TableMarkModel(m.Range.Start, m.Range.Count))],
            Durable = state.Durable.Value,
            Retired = state.Retired.Value,
            Nvm = new NvmModel
            {
                Kind = KindOf(state),
                Chip = state.NvmKind,
                SizeBytes = state.NvmSizeBytes,
                UsedBytes = state.NvmUsedBytes,
                BytesWritten = (long)state.NvmBytesWritten,
                BytesOverhead = (long)state.NvmBytesOverhead,
                Commits = (long)state.NvmCommits,
            },
        };
    }

    /// <summary>Gets <c>fram</c> or <c>eeprom</c>: boards name the chip behind it.</summary>
    public static string KindOf(BoardState state) => state.NvmKind.Split(' ')[0];
}
