using CsCheck;
using MirrorController.Tests.Fuzz;

namespace MirrorController.Tests.Unit.Fuzz;

/// <summary>Every decoder under bytes of any kind and under damaged valid ones; <c>./fuzz</c> goes on from here for as long as one likes.</summary>
/// <remarks>The environment variable MIRROR_FUZZ_FACTOR multiplies the number of inputs.</remarks>
public sealed class FuzzTargetTests
{
    private static readonly double Factor =
        double.TryParse(Environment.GetEnvironmentVariable("MIRROR_FUZZ_FACTOR"), out var factor) && factor > 0 ? factor : 1;

    public static TheoryData<string> Targets => [.. FuzzTargets.All.Select(t => t.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void What_the_products_encoders_made_is_decoded(string name)
    {
        var target = FuzzTargets.Find(name)!;
        Watched(target, run => Assert.All(target.Seeds().ToList(), seed => Assert.True(run.Take(seed))));
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Bytes_of_any_kind_are_decoded_or_refused(string name)
    {
        var target = FuzzTargets.Find(name)!;
        var seeds = target.Seeds().ToList();
        Watched(target, run => Gen.ULong.Sample(seed => { _ = run.Take(new Mutator(target, seeds, seed).Anything()); }, iter: Count(target) / 4, threads: 1));
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Damaged_input_is_decoded_or_refused(string name)
    {
        var target = FuzzTargets.Find(name)!;
        var seeds = target.Seeds().ToList();
        Watched(target, run =>
        {
            Gen.ULong.Sample(seed => { _ = run.Take(new Mutator(target, seeds, seed).Damaged()); }, iter: Count(target), threads: 1);
            // Damage that is always noticed, or never, would test little.
            Assert.True(run.Decoded > 0 && run.Refused > 0, $"{run.Decoded} were decoded, {run.Refused} refused");
        });
    }

    private static long Count(FuzzTarget target) => (long)Math.Max(40, target.CheckInRuns * Factor);

    private static void Watched(FuzzTarget target, Action<FuzzRun> inputs)
    {
        try
        {
            FuzzWatch.Guard(target, inputs);
        }
        catch (Exception e) when (Failure(e) is { } failure)
        {
            var kept = FuzzWatch.Keep(Path.Combine(AppContext.BaseDirectory, "fuzz-failures"), failure);
            Assert.Fail($"{failure.Message} See it again with: ./fuzz {target.Name} --input {kept}\n{failure.InnerException}");
        }
    }

    private static FuzzFailedException? Failure(Exception? e) => e is null ? null : e as FuzzFailedException ?? Failure(e.InnerException);
}
