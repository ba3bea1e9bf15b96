using System.CommandLine;
using System.Text.Json;
using MirrorController.HostAgent.Control;
using MirrorController.Runtime.Configuration;

namespace MirrorController.HostAgent.Cli;

/// <summary><c>table show</c>: asks the board itself, so that it works while the host is off.</summary>
internal sealed class TableShowVerb : Verb
{
    private const int SequenceBits = 40;
    private readonly Target _target;
    private readonly Argument<string> _board = new("BOARD") { Description = "The board's name." };
    private readonly Option<bool> _json = VerbOptions.Json();

    public TableShowVerb(CliContext context)
        : base(
            context,
            "show",
            "Shows a board's tag table: entries, sure or unsure, the marks D and R, the memory chip's fill and wear.",
            "mirrorctl table show pi-a",
            "mirrorctl table show pi-b --config /etc/mirrorcontroller/agent.json --json")
    {
        Add(_board);
        Add(_json);
        _target = new Target(this);
    }

    /// <inheritdoc/>
    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var agent = _target.Read(parsed);
        var name = parsed.GetRequiredValue(_board);
        var board = agent.Boards.FirstOrDefault(b => b.Name == name)
            ?? throw new CliFault($"There is no board {name} in {agent.FilePath}; it has {string.Join(", ", agent.Boards.Select(b => b.Name))}.", ExitCode.Usage);
        var table = await Boards.ReadTableAsync(agent, board, cancellation);
        if (parsed.GetValue(_json))
        {
            Screen.Line(JsonSerializer.Serialize(table, ControlJson.Default.TableModel));
        }
        else
        {
            Print(table);
        }

        return ExitCode.Done;
    }

    /// <summary>Writes a tag as session and sequence.</summary>
    public static string TagText(ulong tag) => $"{tag >> SequenceBits}.{tag & ((1UL << SequenceBits) - 1)}";

    private void Print(TableModel table)
    {
        Screen.Line($"board {table.Board}  volume {table.Volume}  durable {TagText(table.Durable)}  retired {TagText(table.Retired)}");
        Screen.Line($"  {table.Nvm.Kind}  {SizeText.Format(table.Nvm.UsedBytes)} of {SizeText.Format(table.Nvm.SizeBytes)} used, "
            + $"{SizeText.Format(table.Nvm.BytesWritten)} written in {table.Nvm.Commits} commits");
        if (table.Entries.Count > 0)
        {
            Screen.Line($"  {"tag",-20} {"generator",-10} {"block",-14} {"count",-8} state");
        }

        foreach (var entry in table.Entries)
        {
            Screen.Line($"  {TagText(entry.Tag),-20} {entry.Generator,-10} {entry.Block,-14} {entry.Count,-8} {(entry.Sure ? "sure" : "unsure")}");
        }

        foreach (var mark in table.Marks)
        {
            Screen.Line($"  repair mark: block {mark.Block}, {mark.Count} blocks");
        }
    }
}
