using MirrorController.Tests.Harness.Mutants;

namespace MirrorController.Tests.Unit.Mutants;

/// <summary>The list of mutants is not to rot: what `./mutants` runs now and then has to fit the code at all times.</summary>
public sealed class MutantTests
{
    private const string Text =
        """
        rule: W4 [S1]
        out: it is taken out
        seeds: 7
        equivalent: for a reason

        file: a.cs
        --- old
        two
          lines
        --- new
        one line
        --- end
        """;

    private static string Top { get; } = FindTop();

    [Fact]
    public void Every_mutant_still_applies_to_the_code_and_changes_it()
    {
        var mutants = Mutant.ReadAll(Path.Combine(Top, "tests", "Mutants"));

        Assert.NotEmpty(mutants);
        Assert.All(mutants, mutant =>
        {
            var changed = mutant.Apply(Read);
            Assert.NotEmpty(changed);
            Assert.All(changed, c => Assert.NotEqual(Read(c.Key), c.Value));
        });
    }

    [Fact]
    public void No_two_mutants_make_the_same_of_the_code()
    {
        var mutants = Mutant.ReadAll(Path.Combine(Top, "tests", "Mutants"));
        var results = mutants.ConvertAll(m => string.Join('\0', m.Apply(Read).OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => f.Key + '\0' + f.Value)));

        Assert.Equal(mutants.Count, results.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void A_mutant_is_read_with_all_that_its_file_says()
    {
        var mutant = Mutant.Parse("W4-x", Text);

        Assert.Equal(
            ("W4-x", "W4 [S1]", "it is taken out", 7, "for a reason"),
            (mutant.Name, mutant.Rule, mutant.TakenOut, mutant.Seeds, mutant.Equivalent));
        Assert.Equal(new MutantEdit("a.cs", "two\n  lines", "one line"), Assert.Single(mutant.Edits));
        Assert.Equal("zero\none line\nthree", mutant.Apply(_ => "zero\ntwo\n  lines\nthree")["a.cs"]);
    }

    [Theory]
    [InlineData("something else")]
    [InlineData("two\n  lines\ntwo\n  lines")]
    public void An_edit_whose_text_does_not_occur_exactly_once_is_refused(string code) =>
        Assert.Throws<FormatException>(() => Mutant.Parse("W4-x", Text).Apply(_ => code));

    [Theory]
    [InlineData("rule: ", "mule: ")]
    [InlineData("file: ", "tile: ")]
    [InlineData("--- end", "")]
    [InlineData("--- old", "")]
    public void A_file_that_lacks_something_is_refused(string what, string instead) =>
        Assert.Throws<FormatException>(() => Mutant.Parse("W4-x", Text.Replace(what, instead, StringComparison.Ordinal)));

    private static string Read(string file) => File.ReadAllText(Path.Combine(Top, file)).ReplaceLineEndings("\n");

    private static string FindTop()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "MirrorController.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("The tests do not run within the source tree.");
    }
}
