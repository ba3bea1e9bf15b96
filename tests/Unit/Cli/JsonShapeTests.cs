using System.Text.Json;
using System.Text.Json.Nodes;
using MirrorController.HostAgent.Control;
using MirrorController.HostAgent.Rig;
using static MirrorController.Tests.Unit.Cli.StatusSamples;

namespace MirrorController.Tests.Unit.Cli;

/// <summary>The names that scripts rely on.</summary>
public sealed class JsonShapeTests
{
    [Fact]
    public void Status_has_the_names_that_scripts_rely_on()
    {
        var json = Node(Of(Volume(VolumeState.InSync, Healthy("pi-a", 0)) with { LastRecovery = new RecoveryModel(12, 4096, 30) }));

        Assert.Equal("1.2.3", (string?)json["version"]);
        var volume = json["volumes"]![0]!;
        Assert.Equal("tank", (string?)volume["name"]);
        Assert.Equal("InSync", (string?)volume["state"]);
        Assert.Equal(1L << 30, (long?)volume["sizeBytes"]);
        Assert.Equal("nbd://127.0.0.1:10809/tank", (string?)volume["nbd"]);
        Assert.Equal("pi-a", (string?)volume["members"]![0]!["board"]);
        Assert.Equal("Connected", (string?)volume["members"]![0]!["connection"]);
        Assert.Equal("InSync", (string?)volume["members"]![0]!["sync"]);
        Assert.Equal(12, (long?)volume["lastRecovery"]!["plannedBlocks"]);
        Assert.Equal(4096, (long?)volume["lastRecovery"]!["copiedBytes"]);
        Assert.Equal(30, (long?)volume["lastRecovery"]!["milliseconds"]);
    }

    [Fact]
    public void A_table_has_the_names_that_scripts_rely_on()
    {
        var table = new TableModel
        {
            Board = "pi-a",
            Volume = "tank",
            Entries = [new TableEntryModel(ulong.MaxValue, 3, 17, 2, true)],
            Durable = 5,
            Retired = 4,
            Nvm = new NvmModel { Kind = "fram", SizeBytes = 32768, UsedBytes = 100, BytesWritten = 200, Commits = 9 },
        };

        var json = JsonNode.Parse(JsonSerializer.Serialize(table, ControlJson.Default.TableModel))!;

        var entry = json["entries"]![0]!;
        Assert.Equal(ulong.MaxValue, (ulong)entry["tag"]!);
        Assert.Equal(3, (int)entry["generator"]!);
        Assert.Equal(17, (long)entry["block"]!);
        Assert.Equal(2, (long)entry["count"]!);
        Assert.True((bool)entry["sure"]!);
        Assert.Equal(5UL, (ulong)json["durable"]!);
        Assert.Equal(4UL, (ulong)json["retired"]!);
        var nvm = json["nvm"]!;
        Assert.Equal("fram", (string?)nvm["kind"]);
        Assert.Equal(32768, (long)nvm["sizeBytes"]!);
        Assert.Equal(100, (long)nvm["usedBytes"]!);
        Assert.Equal(200, (long)nvm["bytesWritten"]!);
        Assert.Equal(9, (long)nvm["commits"]!);
    }

    [Fact]
    public void The_rigs_ready_object_has_the_names_that_scripts_rely_on()
    {
        var rig = new RigModel
        {
            Nbd = "nbd://127.0.0.1:10809/tank",
            Http = "http://127.0.0.1:7780",
            Dir = "/lab",
            Volume = "tank",
            SizeBytes = 1,
            Supervisor = 1,
            Boards =
            [
                new RigBoardModel
                {
                    Name = "pi-a",
                    Pid = 11,
                    Dir = "/lab/pi-a",
                    DataFile = "/lab/pi-a/disk.img",
                    DataOffset = 1 << 20,
                    Address = "127.0.0.1:7710",
                    Log = "/lab/logs/pi-a.log",
                    Process = NodeProcess.Running,
                },
            ],
            Host = new RigHostModel { Pid = 12, Config = "/lab/host/agent.json", Log = "/lab/logs/host.log", Process = NodeProcess.Running },
        };

        var json = JsonNode.Parse(JsonSerializer.Serialize(rig, RigJson.Default.RigModel))!;

        Assert.Equal("nbd://127.0.0.1:10809/tank", (string?)json["nbd"]);
        Assert.Equal("http://127.0.0.1:7780", (string?)json["http"]);
        var board = json["boards"]![0]!;
        Assert.Equal("pi-a", (string?)board["name"]);
        Assert.Equal(11, (int)board["pid"]!);
        Assert.Equal("/lab/pi-a", (string?)board["dir"]);
        Assert.Equal("/lab/pi-a/disk.img", (string?)board["dataFile"]);
        Assert.Equal(1 << 20, (long)board["dataOffset"]!);
        Assert.Equal(12, (int)json["host"]!["pid"]!);
    }

    private static JsonNode Node(StatusModel status) => JsonNode.Parse(JsonSerializer.Serialize(status, ControlJson.Default.StatusModel))!;
}
