using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Fuzz.Targets;

/// <summary>What nodes wrote into their logs.</summary>
internal static class Story
{
    /// <summary>Checks that nobody's bytes have forged a line of a log.</summary>
    public static void Check(SimWorld world)
    {
        if (world.Log.FirstOrDefault(line => line.Any(char.IsControl)) is { } forged)
        {
            throw new InvalidOperationException($"a line of the log holds control characters: {string.Concat(forged.Select(c => char.IsControl(c) ? '?' : c))}");
        }
    }
}
