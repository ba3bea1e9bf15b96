using System.Text.Json;
using System.Text.Json.Serialization;

namespace MirrorController.HostAgent.Rig;

/// <summary>The JSON of the rig: its state, its ready object, its socket.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(RigState))]
[JsonSerializable(typeof(RigModel))]
[JsonSerializable(typeof(RigRequest))]
[JsonSerializable(typeof(RigReply))]
[JsonSerializable(typeof(BoardFile))]
[JsonSerializable(typeof(AgentFile))]
internal sealed partial class RigJson : JsonSerializerContext
{
    /// <summary>Gets the same, for files that people read.</summary>
    public static RigJson Indented { get; } = new(new JsonSerializerOptions
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    });
}
