using MirrorController.HostAgent.Control;

namespace MirrorController.HostAgent.Cli;

/// <summary>What the verbs work with.</summary>
/// <param name="Screen">Where they write.</param>
/// <param name="Boards">How they ask the boards themselves.</param>
internal sealed record CliContext(Screen Screen, IBoardDirectory Boards);
