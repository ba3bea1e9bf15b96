using System.CommandLine;
using System.Text.Json;
using MirrorController.HostAgent.Control;
using MirrorController.Runtime.Configuration;

namespace MirrorController.HostAgent.Cli;

/// <summary><c>volume list</c>: what the boards themselves say they hold.</summary>
internal sealed class VolumeListVerb : Verb
{
    private readonly Target _target;
    private readonly Option<bool> _json = VerbOptions.Json();

    public VolumeListVerb(CliContext context)
        : base(context, "list", "Asks the boards which volumes they hold.", "mirrorctl volume list --config /etc/mirrorcontroller/agent.json")
    {
        Add(_json);
        _target = new Target(this);
    }

    /// <inheritdoc/>
    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var list = await Boards.ListVolumesAsync(_target.Read(parsed), cancellation);
        if (parsed.GetValue(_json))
        {
            Screen.Line(JsonSerializer.Serialize(list, ControlJson.Default.VolumeListModel));
        }
        else
        {
            foreach (var volume in list.Volumes)
            {
                Screen.Line($"volume {volume.Name}  {(volume.SizeBytes == 0 ? "size unknown" : SizeText.Format(volume.SizeBytes))}");
                foreach (var board in volume.Boards)
                {
                    Screen.Line($"  {board.Board}  {board.Sentence}");
                }
            }
        }

        return list.Volumes.All(v => v.Boards.All(b => b.Holds)) ? ExitCode.Done : ExitCode.Failed;
    }
}
