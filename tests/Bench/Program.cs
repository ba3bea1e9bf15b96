using System.Runtime.InteropServices;
using MirrorController.HostAgent.Nbd;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime;
using MirrorController.Tests.Harness;

// Serves a volume in memory over NBD until it is told to end: what the NBD layer and the loop cost by themselves.
var addressText = args.Length > 0 ? args[0] : "127.0.0.1:0";
var sizeMiB = 1024L;
if (args.Length > 2 || !NodeAddress.TryParse(addressText, out var address) || (args.Length == 2 && !long.TryParse(args[1], out sizeMiB)))
{
    Console.Error.WriteLine("usage: nbd-memory [HOST:PORT [SIZE_IN_MIB]]");
    return 64;
}

using var loop = RuntimeLoop.Create();
var server = new NbdServer(loop, loop, new ConsoleLog());
server.Export(new MemoryVolume(loop, "memory", sizeMiB << 20));
try
{
    Console.WriteLine($"nbd://{server.Listen(address)}/memory pid {Environment.ProcessId}");
}
catch (IOException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
loop.Run();
return 0;

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    loop.Post(() =>
    {
        if (!server.IsStopping)
        {
            server.Stop(loop.Stop);
        }
    });
}
