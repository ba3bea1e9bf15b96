using MirrorController.HostAgent.Configuration;
using MirrorController.Protocol.Seams;
using MirrorController.Tests.Unit.Rig;

namespace MirrorController.Tests.Unit.Configuration;

public sealed class AgentConfigurationTests : IDisposable
{
    private const string Secret = "00112233445566778899aabbccddeeff";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_with_comments_and_few_keys_has_defaults_on_the_loopback()
    {
        var agent = Read("""
            {
              // The volume's name is the export's, too.
              "volume": "tank",
              "secret": "00112233445566778899aabbccddeeff",
              "boards": [ { "name": "pi-a", "address": "10.0.0.1:7710", "peerAddress": "192.168.0.1:7710" }, { "name": "pi-b", "address": "[::1]:7710" } ],
            }
            """, out var fault);

        Assert.Null(fault);
        Assert.Equal(new NodeAddress("127.0.0.1", 10809), agent!.Nbd);
        Assert.Equal(new NodeAddress("127.0.0.1", 7780), agent.Http);
        Assert.Equal(30_000, agent.GraceMs);
        Assert.Equal(16, agent.Secret.Length);
        Assert.Equal("192.168.0.1", agent.Boards[0].PeerAddress.Host);
        Assert.Equal(agent.Boards[1].Address, agent.Boards[1].PeerAddress);
        Assert.Equal("nbd://127.0.0.1:10809/tank", agent.NbdUri);
    }

    [Fact]
    public void A_secret_and_a_log_are_found_relative_to_the_file()
    {
        _folder.Write("secret", Secret + "\n");

        var agent = Read("""{ "volume": "tank", "secretFile": "secret", "log": "a.log", "boards": [ { "name": "a", "address": "h:1" } ] }""", out _);

        Assert.Equal(Convert.FromHexString(Secret), agent!.Secret);
        Assert.Equal(_folder.File("a.log"), agent.LogPath);
    }

    [Fact]
    public void The_volumes_identity_follows_from_name_and_secret()
    {
        var one = Read(Minimal("tank", Secret), out _)!.VolumeId;

        Assert.Equal(one, Read(Minimal("tank", Secret), out _)!.VolumeId);
        Assert.NotEqual(one, Read(Minimal("pool", Secret), out _)!.VolumeId);
        Assert.NotEqual(one, Read(Minimal("tank", Secret[2..] + "00"), out _)!.VolumeId);
    }

    [Theory]
    [InlineData("""{ "volume": "tank", "secret": "00112233445566778899aabbccddeeff", "boards": [] }""", "line 1: \"boards\" is empty")]
    [InlineData("""{ "volume": "ta nk", "secret": "00112233445566778899aabbccddeeff", "boards": [ { "name": "a", "address": "h:1" } ] }""", "\"volume\" is \"ta nk\"")]
    [InlineData("""{ "volume": "tank", "secret": "0011", "boards": [ { "name": "a", "address": "h:1" } ] }""", "32 to 128 hexadecimal digits")]
    [InlineData("""{ "volume": "tank", "boards": [ { "name": "a", "address": "h:1" } ] }""", "either \"secret\" or \"secretFile\"")]
    [InlineData("""{ "volume": "tank", "secretFile": "none", "boards": [ { "name": "a", "address": "h:1" } ] }""", "none cannot be read")]
    [InlineData("""{ "volume": "tank", "secret": "00112233445566778899aabbccddeeff", "boards": [ { "name": "a", "address": "h" } ] }""", "must be HOST:PORT")]
    [InlineData("""{ "volume": "tank", "secret": "00112233445566778899aabbccddeeff", "boards": [ { "name": "a", "address": "h:1" }, { "name": "a", "address": "h:2" } ] }""", "names are unique")]
    [InlineData("""{ "volume": "tank", "secret": "00112233445566778899aabbccddeeff", "boards": [ { "name": "a", "address": "h:1" }, { "name": "b", "address": "h:1" } ] }""", "addresses are unique")]
    [InlineData("""{ "volume": "tank", "secret": "00112233445566778899aabbccddeeff", "boards": [ { "name": "a" }, { "name": "b" } ] }""", "has no \"address\". (and 1 more)")]
    [InlineData("""{ "volume": "tank", "secret": "00112233445566778899aabbccddeeff", "boards": [ { "address": "h:1" }, { "address": "h:2" } ] }""", "has no \"name\". (and 1 more)")]
    [InlineData("""{ "volume": "tank", "secret": "00112233445566778899aabbccddeeff", "boards": [ { "name": "a", "address": "h" }, { "name": "b", "address": "h" } ] }""", "must be HOST:PORT, as 127.0.0.1:7710. (and 1 more)")]
    [InlineData("""{ "volume": "tank", "secret": "00112233445566778899aabbccddeeff", "grace": "30", "boards": [ { "name": "a", "address": "h:1" } ] }""", "a time is a whole number with ms, s or m")]
    [InlineData("""{ "volume": "tank", "volume": "pool" }""", "\"volume\" stands twice")]
    [InlineData("""{ "volume": 5, "secret": "00112233445566778899aabbccddeeff", "boards": [ { "name": "a", "address": "h:1" } ] }""", "\"volume\" is 5; it must be a text")]
    [InlineData("[]", "holds a list")]
    [InlineData("{", "not JSON")]
    [InlineData("", "not JSON: the file is empty.")]
    [InlineData("// Nothing.", "not JSON: the file is empty.")]
    public void A_mistake_is_one_sentence_that_says_what_is_allowed(string json, string expected)
    {
        Assert.Null(Read(json, out var fault));
        Assert.Contains(expected, fault, StringComparison.Ordinal);
        Assert.Contains("line 1", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_key_is_refused_with_its_line_and_the_known_ones()
    {
        Assert.Null(Read("""
            { "volume": "tank", "secret": "00112233445566778899aabbccddeeff",
              "boards": [ { "name": "a", "address": "h:1",
                            "adress": "h:2" } ] }
            """, out var fault));
        Assert.Contains("line 3: \"adress\" is not known in an item of \"boards\"; allowed are name, address, peerAddress.", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void All_mistakes_are_found_at_once()
    {
        AgentConfiguration.Read(_folder.Write("agent.json", """{ "nbd": "x", "http": 1, "boards": {} }"""), out var file);

        Assert.Equal(5, file.Faults.Count);
        Assert.EndsWith("(and 4 more)", file.FirstFault(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_the_only_mistake()
    {
        AgentConfiguration.Read(_folder.File("none.json"), out var file);

        Assert.Equal($"{_folder.File("none.json")} does not exist; name an existing configuration file.", file.FirstFault());
    }

    private static string Minimal(string volume, string secret) =>
        $$"""{ "volume": "{{volume}}", "secret": "{{secret}}", "boards": [ { "name": "a", "address": "h:1" } ] }""";

    private AgentConfiguration? Read(string json, out string? fault)
    {
        var agent = AgentConfiguration.Read(_folder.Write("agent.json", json), out var file);
        fault = file.FirstFault();
        return agent;
    }
}
