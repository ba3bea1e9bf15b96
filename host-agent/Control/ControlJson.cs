using System.Text.Json.Serialization;

namespace MirrorController.HostAgent.Control;

/// <summary>The JSON of the control API and of <c>--json</c>, written without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    WriteIndented = false)]
[JsonSerializable(typeof(StatusModel))]
[JsonSerializable(typeof(VerifyLine))]
[JsonSerializable(typeof(RecoveryModel))]
[JsonSerializable(typeof(VerifyModel))]
[JsonSerializable(typeof(TableModel))]
[JsonSerializable(typeof(VolumeListModel))]
[JsonSerializable(typeof(FaultModel))]
internal sealed partial class ControlJson : JsonSerializerContext;

/// <summary>An error of the control API.</summary>
internal sealed record FaultModel(string Fault);
