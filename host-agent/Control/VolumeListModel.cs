namespace MirrorController.HostAgent.Control;

/// <summary>What <c>volume list --json</c> prints.</summary>
internal sealed record VolumeListModel(IReadOnlyList<VolumeListItem> Volumes);

/// <summary>A volume as the boards hold it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="SizeBytes">Its size in bytes; 0 where no board could tell.</param>
/// <param name="Boards">What each board says.</param>
internal sealed record VolumeListItem(string Name, long SizeBytes, IReadOnlyList<VolumeListBoard> Boards);

/// <summary>What one board says about the volume.</summary>
/// <param name="Board">The board's name.</param>
/// <param name="Holds">Whether it holds a member of the volume.</param>
/// <param name="Sentence">What it says, as a sentence without its full stop.</param>
internal sealed record VolumeListBoard(string Board, bool Holds, string Sentence);
