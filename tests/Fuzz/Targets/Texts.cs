using System.Text;
using MirrorController.Firmware.Service;
using MirrorController.HostAgent.Cli;
using MirrorController.HostAgent.Control;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;
using MirrorController.Runtime.Configuration;

namespace MirrorController.Tests.Fuzz.Targets;

/// <summary>What people type.</summary>
internal static class Texts
{
    private static readonly byte[][] Lines = Bytes(
        "--config\nboard.json\n--check", "--help", "--version\n--config\nx", "status\n--json\n--dir\nx", "rig\nup\n--boards\n3\n--size\n1GiB", "verify\ntank\n--config\nagent.json", "wait\n--for\ninsync\n--timeout\n30s", "rig\ntorture\n--dir\nx\n--seed\n5", "volume\nlist", "table\nshow\npi-a");

    public static IEnumerable<FuzzTarget> All =>
    [
        new Decoder("size", "an operator", b => SizeText.TryParse(Text(b), out var bytes) && Positive(bytes) && SizeText.Format(bytes).Length > 0, () => Bytes("1GiB", "512", " 3 t ", "9223372036854775807")),
        new Decoder("duration", "an operator", DecodeDuration, () => Bytes("30s", "5m", "250ms", "2147483647ms")),
        new Decoder("address", "an operator", DecodeAddress, () => Bytes("127.0.0.1:7710", "[::1]:7710", "pi-a:0")),
        new Decoder("name", "an operator, a peer's frame", b => NameText.IsName(Text(b)) | VolumeName.IsValid(Text(b)), () => Bytes("tank", "pi-a", "a.b_c-9")),
        new Decoder("secret", "an operator", DecodeSecret, () => Bytes("00112233445566778899aabbccddeeff", " 00112233445566778899AABBCCDDEEFF\n")),
        new Decoder("board-arguments", "an operator", b => BoardArguments.Parse(Text(b).Split('\n'), out var fault) is not null || Refused(fault), () => Lines[..3]),
        new CommandLines(Lines[3..]),
    ];

    public static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    public static byte[][] Bytes(params string[] texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];

    private static bool DecodeDuration(ReadOnlySpan<byte> bytes)
    {
        if (!DurationText.TryParse(Text(bytes), out var ms))
        {
            return false;
        }

        return DurationText.TryParse(DurationText.Format(ms), out var again) && again == ms && Positive(ms)
            ? true
            : throw new InvalidOperationException($"{ms} ms do not come back");
    }

    private static bool DecodeAddress(ReadOnlySpan<byte> bytes)
    {
        if (!NodeAddress.TryParse(Text(bytes), out var address))
        {
            return false;
        }

        return NodeAddress.TryParse(address.ToString(), out var again) && again == address
            ? true
            : throw new InvalidOperationException($"the address {address} does not come back");
    }

    private static bool DecodeSecret(ReadOnlySpan<byte> bytes) =>
        SecretText.Parse(Text(bytes), out var fault) is { Length: >= SecretText.BytesMin and <= SecretText.BytesMax } || Refused(fault);

    private static bool Positive(long number) => number > 0 ? true : throw new InvalidOperationException($"{number} was decoded");

    private static bool Refused(string? sentence) =>
        sentence is { Length: > 0 } ? false : throw new InvalidOperationException("refused without a sentence");

    /// <summary>The agent's command line, parsed and not run. A new word on each line.</summary>
    private sealed class CommandLines(byte[][] seeds) : FuzzTarget("command-line", "an operator")
    {
        public override int CheckInRuns => 400;

        public override int InputBytesMax => 400;

        public override long AllocationFixedBytes => 4 << 20;

        public override int AllocationPerInputByte => 4096;

        public override IReadOnlyList<byte[]> Words { get; } = Bytes("\n", "--", "@", "\n--size\n", "\n--boards\n", "\n--timeout\n", "\n--for\n", "\n-x\n", "=", "\n?");

        public override IEnumerable<byte[]> Seeds() => seeds;

        public override bool Run(ReadOnlySpan<byte> input)
        {
            var screen = Screen.Plain(TextWriter.Null, TextWriter.Null);
            // No word that names a file with further words.
            var words = Text(input).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(w => w[0] != '@').ToArray();
            var parsed = CommandLine.Build(new CliContext(screen, null!)).Parse(words);
            foreach (var error in parsed.Errors)
            {
                _ = Refused(error.Message);
            }

            return parsed.Errors.Count == 0;
        }
    }

}
