namespace MirrorController.Tests.Harness.CrashPoints;

/// <summary>How the power goes.</summary>
/// <param name="Media">What is left of what was not durable.</param>
/// <param name="Silent">Whether nobody is told.</param>
public readonly record struct CrashMode(SimCutMedia Media, bool Silent = false)
{
    public override string ToString()
    {
        var media = Media switch
        {
            SimCutMedia.Kept => ":keep",
            SimCutMedia.Mixed => ":mix",
            _ => string.Empty,
        };
        return media + (Silent ? ":silent" : string.Empty);
    }
}
