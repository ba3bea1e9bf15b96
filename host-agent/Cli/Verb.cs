using System.CommandLine;
using MirrorController.HostAgent.Control;

namespace MirrorController.HostAgent.Cli;

/// <summary>A verb of the command line: its help ends with examples, its faults are one sentence and an exit code.</summary>
internal abstract class Verb : Command
{
    private readonly CliContext _context;

    /// <summary>Makes a verb.</summary>
    protected Verb(CliContext context, string name, string description, params IReadOnlyList<string> examples)
        : base(name, description)
    {
        _context = context;
        Examples = examples;
        SetAction(InvokeAsync);
    }

    /// <summary>Gets the command lines that the help shows.</summary>
    public IReadOnlyList<string> Examples { get; }

    /// <summary>Gets where the verb writes.</summary>
    protected Screen Screen => _context.Screen;

    /// <summary>Gets how the verb asks the boards.</summary>
    protected IBoardDirectory Boards => _context.Boards;

    /// <summary>Does the verb's work.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="CliFault">It cannot be done.</exception>
    protected abstract Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation);

    private async Task<int> InvokeAsync(ParseResult parsed, CancellationToken cancellation)
    {
        try
        {
            return await RunAsync(parsed, cancellation);
        }
        catch (CliFault fault)
        {
            Screen.Error(fault.Message);
            return fault.ExitCode;
        }
        catch (Exception e) when (e is ControlException or IOException or UnauthorizedAccessException)
        {
            Screen.Error(e.Message);
            return e is ControlException { NobodyAnswers: true } ? ExitCode.CannotTell : ExitCode.Failed;
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Failed;
        }
    }
}
