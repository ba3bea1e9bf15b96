using System.Net;
using System.Net.Sockets;
using MirrorController.Tests.Unit.Rig;

namespace MirrorController.Tests.Unit.Cli;

/// <summary>An agent that was stopped where it is: the system takes its connections, nobody answers them.</summary>
internal sealed class SilentAgent : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly TemporaryFolder _folder = new();

    public SilentAgent()
    {
        _listener.Start();
        ConfigPath = _folder.Write("agent.json", $$"""
            { "volume": "tank", "secret": "00112233445566778899aabbccddeeff", "http": "{{_listener.LocalEndpoint}}",
              "boards": [ { "name": "pi-a", "address": "127.0.0.1:1" } ] }
            """);
    }

    /// <summary>Gets the configuration that names it.</summary>
    public string ConfigPath { get; }

    public void Dispose()
    {
        _listener.Dispose();
        _folder.Dispose();
    }
}
