using System.Reflection;
using System.Runtime.Loader;

namespace MirrorController.Tests.Simulation.Coverage;

/// <summary>Runs the simulator once more in this process, on instrumented copies of the product's assemblies; no file is changed.</summary>
internal sealed class CoverageContext : AssemblyLoadContext
{
    private static readonly string[] _instrumented = ["MirrorController.Protocol", "mirror-board"];

    private readonly CoverageInstrumenter _instrumenter = new();

    private CoverageContext()
        : base("coverage")
    {
    }

    /// <summary>Runs the simulator with its arguments and returns its exit code.</summary>
    public static int Run(string[] args)
    {
        var context = new CoverageContext();
        var simulator = context.LoadFromAssemblyName(typeof(CoverageContext).Assembly.GetName());
        foreach (var name in _instrumented)
        {
            context.LoadFromAssemblyName(new AssemblyName(name));
        }

        var hits = simulator.GetType(typeof(CoverageHits).FullName!, throwOnError: true)!;
        var statementType = simulator.GetType(typeof(CoveredStatement).FullName!, throwOnError: true)!;
        var statements = System.Array.CreateInstance(statementType, context._instrumenter.Statements.Count);
        for (var i = 0; i < statements.Length; i++)
        {
            var s = context._instrumenter.Statements[i];
            statements.SetValue(Activator.CreateInstance(statementType, s.Path, s.Line, s.Column), i);
        }

        hits.GetProperty(nameof(CoverageHits.Statements))!.SetValue(null, statements);
        var command = simulator.GetType(typeof(SimulateCommand).FullName!, throwOnError: true)!;
        return (int)command.GetMethod(nameof(SimulateCommand.Run))!.Invoke(null, [args])!;
    }

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        var path = Path.Combine(AppContext.BaseDirectory, assemblyName.Name + ".dll");
        if (!File.Exists(path))
        {
            // The framework's: everyone shares it.
            return null;
        }

        if (!_instrumented.Contains(assemblyName.Name))
        {
            return LoadFromAssemblyPath(path);
        }

        var (assembly, symbols) = _instrumenter.Instrument(path);
        return LoadFromStream(assembly, symbols);
    }
}
