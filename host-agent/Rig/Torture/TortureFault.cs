namespace MirrorController.HostAgent.Rig.Torture;

/// <summary>What went wrong under torture.</summary>
/// <param name="Sentence">What, as a sentence.</param>
/// <param name="Sector">The first wrong sector; null when it is about something else.</param>
/// <param name="History">The writes of that sector, oldest first.</param>
internal sealed record TortureFault(string Sentence, long? Sector = null, IReadOnlyList<string>? History = null);
