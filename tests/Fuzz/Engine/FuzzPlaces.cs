namespace MirrorController.Tests.Fuzz.Engine;

/// <summary>Where the long-running mode keeps things: beside the build's output, never in the sources.</summary>
internal static class FuzzPlaces
{
    /// <summary>The folder of the instrumented copy.</summary>
    public const string InstrumentedName = "instrumented";

    private const string CorpusName = "corpus";
    private const string FailuresName = "failures";

    /// <summary>Gets the folder of the build's output, also when the instrumented copy runs.</summary>
    public static string Output { get; } = Find();

    /// <summary>Gets the folder of the instrumented copy.</summary>
    public static string Instrumented => Path.Combine(Output, InstrumentedName);

    /// <summary>Gets the folder of the inputs that a target has failed on.</summary>
    public static string Failures => Path.Combine(Output, FailuresName);

    /// <summary>Gets the folders that the copy does not take along.</summary>
    public static IReadOnlySet<string> Own { get; } = new HashSet<string> { InstrumentedName, CorpusName, FailuresName };

    /// <summary>Gets the folder of the inputs that have reached something new in a target.</summary>
    public static string Corpus(FuzzTarget target) => Directory.CreateDirectory(Path.Combine(Output, CorpusName, target.Name)).FullName;

    /// <summary>Gets the file that holds the input being looked at, for whoever finds the process dead.</summary>
    public static string Running(FuzzTarget target) => Path.Combine(Output, CorpusName, target.Name + ".running");

    private static string Find()
    {
        var own = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        return Path.GetFileName(own) == InstrumentedName ? Path.GetDirectoryName(own)! : own;
    }
}
