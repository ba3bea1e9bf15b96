using MirrorController.HostAgent.Rig.Torture;
using MirrorController.Runtime.Configuration;

namespace MirrorController.HostAgent.Cli;

/// <summary>The outcome of a torture as lines: a table, and the first wrong sector with its history.</summary>
internal static class TortureText
{
    /// <summary>Makes the lines.</summary>
    public static IReadOnlyList<string> Lines(TortureModel model) =>
    [
        $"{"cuts",-12}{"loud",6}{"silent",8}{"mixed",7}{"all",6}",
        .. model.CutsByKind.Select(k => $"{Name(k.Kind),-12}{k.Loud,6}{k.Silent,8}{k.Mixed,7}{k.All,6}"),
        $"{"all",-12}{model.CutsByKind.Sum(k => k.Loud),6}{model.CutsByKind.Sum(k => k.Silent),8}{model.CutsByKind.Sum(k => k.Mixed),7}{model.Cuts,6}",
        "",
        $"writes                    {model.Writes}",
        $"sectors read and judged   {model.JudgedSectors}",
        $"lives of the host         {model.HostLives}",
        $"copied by recoveries      {SizeText.Format(model.CopiedBytes)}",
        $"power back to in sync     {Times(model.BackInSync)}",
        $"reconciliation within     {Times(model.Reconciliation)}",
        $"took                      {model.Milliseconds / 1000.0:F1} s",
        "",
        .. Verdict(model),
    ];

    private static IEnumerable<string> Verdict(TortureModel model)
    {
        if (model.Fault is not { } fault)
        {
            yield return $"seed {model.Seed}: the mirrors were equal after every cut, and nothing was lost";
            yield break;
        }

        yield return $"seed {model.Seed}: {fault.Sentence}";
        foreach (var line in fault.History ?? [])
        {
            yield return "  " + line;
        }

        yield return $"everything is kept in {model.Dir}; 'mirrorctl rig torture --seed {model.Seed}' makes the same plan";
    }

    private static string Name(TortureKind kind) => kind switch
    {
        TortureKind.Board => "one board",
        TortureKind.Boards => "boards",
        TortureKind.Host => "host",
        _ => "everything",
    };

    private static string Times(TortureTimesModel? times) => times is null ? "-" : $"median {times.MedianMs} ms, worst {times.WorstMs} ms";
}
