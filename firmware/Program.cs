using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MirrorController.Firmware.Configuration;
using MirrorController.Firmware.Service;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime;

if (BoardArguments.Parse(args, out var fault) is not { } arguments)
{
    Console.Error.WriteLine(fault);
    return BoardExit.Usage;
}

if (arguments.ConfigPath is null)
{
    Console.Write(arguments.ShowVersion
        ? typeof(BoardArguments).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion + Environment.NewLine
        : BoardArguments.Help);
    return BoardExit.Done;
}

var configuration = BoardConfiguration.Read(arguments.ConfigPath, out var file);
if (configuration is null)
{
    foreach (var mistake in arguments.CheckOnly ? file.Faults : [file.FirstFault()!])
    {
        Console.Error.WriteLine(mistake);
    }

    return BoardExit.Usage;
}

if (arguments.CheckOnly)
{
    Console.WriteLine($"{file.FilePath} is right: board {configuration.Name} on {configuration.Listen}.");
    if (configuration.Disk.Missing() is not { } missing)
    {
        return BoardExit.Done;
    }

    Console.Error.WriteLine(missing);
    return BoardExit.Unusable;
}

// No defaults: neither files to watch nor providers to load. Systemd's default folder is '/', so the content root is named.
var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings
{
    DisableDefaults = true,
    ContentRootPath = AppContext.BaseDirectory,
});
builder.Services.AddSystemd();
builder.Services.AddSingleton(configuration);
builder.Services.AddSingleton<INodeLog>(new ConsoleLog());
builder.Services.AddSingleton<BoardService>();
builder.Services.AddHostedService(services => services.GetRequiredService<BoardService>());
using var host = builder.Build();
var service = host.Services.GetRequiredService<BoardService>();
await host.RunAsync();
return service.ExitCode;
