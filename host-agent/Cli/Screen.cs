using Spectre.Console;

namespace MirrorController.HostAgent.Cli;

/// <summary>Where a verb writes: colours and bars on a terminal, plain lines on a pipe; errors are one sentence on stderr.</summary>
/// <remarks>A reader that has gone away (a closed pipe, a terminal that hung up) never stops what the verb does.</remarks>
internal sealed class Screen
{
    private const int PlainWidth = 100_000;
    private readonly TextWriter _out;
    private readonly TextWriter _error;

    private Screen(TextWriter output, TextWriter error, bool outputIsTerminal, bool errorIsTerminal)
    {
        _out = output;
        _error = error;
        IsTerminal = outputIsTerminal;
        Console = Make(output, outputIsTerminal);
        ErrorConsole = Make(error, errorIsTerminal);
        ErrorIsTerminal = errorIsTerminal;
    }

    /// <summary>Gets the process's own screen.</summary>
    public static Screen Standard { get; } = new(
        System.Console.Out,
        System.Console.Error,
        !System.Console.IsOutputRedirected,
        !System.Console.IsErrorRedirected);

    /// <summary>Gets whether standard output is a terminal.</summary>
    public bool IsTerminal { get; }

    /// <summary>Gets whether standard error is a terminal.</summary>
    public bool ErrorIsTerminal { get; }

    /// <summary>Gets the console of standard output.</summary>
    public IAnsiConsole Console { get; }

    /// <summary>Gets the console of standard error, for bars.</summary>
    public IAnsiConsole ErrorConsole { get; }

    /// <summary>Makes a plain screen over writers.</summary>
    public static Screen Plain(TextWriter output, TextWriter error) => new(output, error, false, false);

    /// <summary>Writes a line of markup.</summary>
    public void Markup(string markup) => Guard(() => Console.MarkupLine(markup));

    /// <summary>Writes a line as it is.</summary>
    public void Line(string text) => Guard(() => _out.WriteLine(text));

    /// <summary>Writes a sentence to standard error.</summary>
    public void Error(string sentence) => Guard(() => _error.WriteLine(sentence));

    private static IAnsiConsole Make(TextWriter writer, bool terminal)
    {
        var colours = terminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = terminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = colours ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = terminal ? InteractionSupport.Detect : InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        if (!terminal)
        {
            console.Profile.Width = PlainWidth;
        }

        return console;
    }

    private static void Guard(Action write)
    {
        try
        {
            write();
        }
        catch (IOException)
        {
            // Nobody reads any more.
        }
    }
}
