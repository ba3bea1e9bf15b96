using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace MirrorController.Tests.Simulation.Coverage;

/// <summary>Puts before every statement of an assembly a note that it was reached.</summary>
internal sealed class CoverageInstrumenter
{
    private readonly List<CoveredStatement> _statements = [];

    /// <summary>Gets the statements of all assemblies so far.</summary>
    public IReadOnlyList<CoveredStatement> Statements => _statements;

    /// <summary>Makes the instrumented assembly and its symbols.</summary>
    public (MemoryStream Assembly, MemoryStream Symbols) Instrument(string path)
    {
        using var module = ModuleDefinition.ReadModule(path, new ReaderParameters { ReadSymbols = true });
        var hits = module.ImportReference(typeof(CoverageHits).GetField(nameof(CoverageHits.Reached)));
        foreach (var method in module.GetTypes().SelectMany(t => t.Methods))
        {
            if (method.HasBody && method.DebugInformation.HasSequencePoints)
            {
                Instrument(method, hits);
            }
        }

        var assembly = new MemoryStream();
        var symbols = new MemoryStream();
        module.Write(assembly, new WriterParameters { WriteSymbols = true, SymbolStream = symbols, SymbolWriterProvider = new PortablePdbWriterProvider() });
        assembly.Position = 0;
        symbols.Position = 0;
        return (assembly, symbols);
    }

    private void Instrument(MethodDefinition method, FieldReference hits)
    {
        var body = method.Body;
        body.SimplifyMacros();
        var byOffset = body.Instructions.ToDictionary(i => i.Offset);
        var code = body.GetILProcessor();
        var moved = new Dictionary<Instruction, Instruction>();
        foreach (var point in method.DebugInformation.SequencePoints.Where(p => !p.IsHidden))
        {
            if (!byOffset.TryGetValue(point.Offset, out var statement) || moved.ContainsKey(statement))
            {
                continue;
            }

            var first = code.Create(OpCodes.Ldsfld, hits);
            code.InsertBefore(statement, first);
            code.InsertBefore(statement, code.Create(OpCodes.Ldc_I4, _statements.Count));
            code.InsertBefore(statement, code.Create(OpCodes.Ldc_I4_1));
            code.InsertBefore(statement, code.Create(OpCodes.Stelem_I1));
            moved.Add(statement, first);
            _statements.Add(new CoveredStatement(point.Document.Url, point.StartLine, point.StartColumn));
        }

        Retarget(body, moved);
        body.OptimizeMacros();
    }

    /// <summary>Who jumps to a statement, jumps to its note.</summary>
    private static void Retarget(MethodBody body, Dictionary<Instruction, Instruction> moved)
    {
        Instruction Target(Instruction old) => moved.GetValueOrDefault(old, old);
        foreach (var instruction in body.Instructions)
        {
            instruction.Operand = instruction.Operand switch
            {
                Instruction target => Target(target),
                Instruction[] targets => System.Array.ConvertAll(targets, Target),
                var other => other,
            };
        }

        foreach (var handler in body.ExceptionHandlers)
        {
            handler.TryStart = Target(handler.TryStart);
            handler.TryEnd = handler.TryEnd is null ? null : Target(handler.TryEnd);
            handler.HandlerStart = Target(handler.HandlerStart);
            handler.HandlerEnd = handler.HandlerEnd is null ? null : Target(handler.HandlerEnd);
            handler.FilterStart = handler.FilterStart is null ? null : Target(handler.FilterStart);
        }
    }
}
