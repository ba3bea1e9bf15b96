using System.Text.Json;

namespace MirrorController.HostAgent.Rig;

/// <summary>What a node's process is doing.</summary>
internal enum NodeProcess
{
    /// <summary>It was not started, or was shut down.</summary>
    Off,

    /// <summary>It was started and does not answer yet.</summary>
    Starting,

    /// <summary>It answers.</summary>
    Running,

    /// <summary>Its power was cut.</summary>
    Cut,

    /// <summary>It was stopped where it is, sockets open: a silent cut.</summary>
    Silent,

    /// <summary>It ended by itself.</summary>
    Died,
}

/// <summary>A board as the rig's ready object and <c>rig status --json</c> show it.</summary>
internal sealed record RigBoardModel
{
    public required string Name { get; init; }

    /// <summary>Gets the process's id; 0 when there is none.</summary>
    public required int Pid { get; init; }

    public required string Dir { get; init; }

    /// <summary>Gets the file with the board's mirror.</summary>
    public required string DataFile { get; init; }

    /// <summary>Gets where the volume's data begins in it.</summary>
    public required long DataOffset { get; init; }

    public required string Address { get; init; }

    public required string Log { get; init; }

    public required NodeProcess Process { get; init; }

    /// <summary>Gets why the process is not running, without a full stop; null when it is.</summary>
    public string? Reason { get; init; }
}

/// <summary>The agent as the rig shows it.</summary>
internal sealed record RigHostModel
{
    public required int Pid { get; init; }

    public required string Config { get; init; }

    public required string Log { get; init; }

    public required NodeProcess Process { get; init; }

    public string? Reason { get; init; }

    /// <summary>Gets what it could not make durable at its end, as a sentence; null when there was nothing.</summary>
    public string? Undurable { get; init; }
}

/// <summary>The rig's ready object.</summary>
internal sealed record RigModel
{
    /// <summary>Gets the volume's NBD URI.</summary>
    public required string Nbd { get; init; }

    /// <summary>Gets the agent's HTTP address.</summary>
    public required string Http { get; init; }

    public required string Dir { get; init; }

    public required string Volume { get; init; }

    public required long SizeBytes { get; init; }

    /// <summary>Gets the supervisor's process id.</summary>
    public required int Supervisor { get; init; }

    public required IReadOnlyList<RigBoardModel> Boards { get; init; }

    public required RigHostModel Host { get; init; }
}

/// <summary>The verbs of the supervisor's socket.</summary>
internal enum RigVerb
{
    /// <summary>How the rig is.</summary>
    Status,

    /// <summary>The same, once the rig is up; a fault when it does not come up.</summary>
    Ready,

    /// <summary>Power off.</summary>
    Cut,

    /// <summary>Power on; answered when the processes answer.</summary>
    Restore,

    /// <summary>Clean end; answered when all processes have ended.</summary>
    Down,
}

/// <summary>A request to the supervisor: one line of JSON.</summary>
internal sealed record RigRequest(RigVerb Verb, IReadOnlyList<string> Nodes, bool Silent)
{
    /// <summary>Reads a request; null when it is none.</summary>
    public static RigRequest? Read(ReadOnlySpan<byte> line)
    {
        try
        {
            var request = JsonSerializer.Deserialize(line, RigJson.Default.RigRequest);
            return request is null || request.Nodes.Any(n => n is null) ? null : request;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>The supervisor's answer: one line of JSON.</summary>
/// <param name="Rig">How the rig is after the request.</param>
/// <param name="Fault">Why the request was not done, as a sentence; null when it was.</param>
/// <param name="Exit">The exit code that goes with the fault.</param>
internal sealed record RigReply(RigModel? Rig, string? Fault, int Exit)
{
    /// <summary>Reads an answer; null when it is none.</summary>
    public static RigReply? Read(ReadOnlySpan<byte> line)
    {
        try
        {
            var reply = line.IsEmpty ? null : JsonSerializer.Deserialize(line, RigJson.Default.RigReply);
            return reply?.Rig?.Boards.Any(b => b is null) == true ? null : reply;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
