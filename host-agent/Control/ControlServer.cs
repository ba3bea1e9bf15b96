using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MirrorController.Protocol.Seams;

namespace MirrorController.HostAgent.Control;

/// <summary>The agent's HTTP side: <c>GET /status</c>, <c>POST /verify/VOLUME</c> (JSON lines), <c>POST /shutdown</c>.</summary>
/// <remarks>
/// It never touches the node; it calls <see cref="IAgentControl"/>. A browser's page from elsewhere gets nothing: a
/// request with a foreign <c>Origin</c>, or for a host that is neither an address nor localhost, is refused.
/// </remarks>
internal sealed class ControlServer : IAsyncDisposable
{
    private const int RequestBytesMax = 64 * 1024;
    private static readonly TimeSpan SignOfLifeEvery = TimeSpan.FromSeconds(1);
    private readonly WebApplication _app;

    private ControlServer(WebApplication app) => _app = app;

    /// <summary>Begins to serve.</summary>
    /// <exception cref="IOException">The address cannot be listened on; the message is one sentence.</exception>
    public static async Task<ControlServer> StartAsync(NodeAddress address, IAgentControl control)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            // The folder of the program, never the one the agent was started in: under systemd that is '/'.
            ContentRootPath = AppContext.BaseDirectory,
            Args = [],
        });
        builder.Logging.ClearProviders();
        // Signals are the agent's business: it flushes first.
        builder.Services.Add(new(typeof(IHostLifetime), typeof(NoLifetime), Microsoft.Extensions.DependencyInjection.ServiceLifetime.Singleton));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = RequestBytesMax;
            Listen(kestrel, address);
        });
        var app = builder.Build();
        app.Use(RefuseForeignPages);
        app.MapGet("/status", (RequestDelegate)(context => Status(context, control)));
        app.MapPost("/verify/{volume}", (RequestDelegate)(context => Verify(context, control)));
        app.MapPost("/shutdown", (RequestDelegate)(context =>
        {
            control.BeginShutdown();
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            return Task.CompletedTask;
        }));
        try
        {
            await app.StartAsync();
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
        {
            await app.DisposeAsync();
            throw new IOException($"The HTTP address {address} cannot be listened on: {Innermost(e).Message.TrimEnd('.')}.", e);
        }

        return new ControlServer(app);
    }

    /// <summary>Gets the address in force.</summary>
    public Uri Address => new(_app.Urls.First());

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        try
        {
            await _app.StopAsync(bound.Token);
        }
        catch (OperationCanceledException)
        {
            // A client that does not read its answer does not keep the agent alive.
        }

        await _app.DisposeAsync();
    }

    private static void Listen(KestrelServerOptions kestrel, NodeAddress address)
    {
        if (IPAddress.TryParse(address.Host, out var ip))
        {
            kestrel.Listen(ip, address.Port);
        }
        else if (address.Host == "localhost")
        {
            kestrel.ListenLocalhost(address.Port);
        }
        else
        {
            foreach (var found in Resolve(address))
            {
                kestrel.Listen(found, address.Port);
            }
        }
    }

    private static IPAddress[] Resolve(NodeAddress address)
    {
        try
        {
            return Dns.GetHostAddresses(address.Host);
        }
        catch (System.Net.Sockets.SocketException e)
        {
            throw new IOException($"The HTTP address {address} cannot be listened on: {e.Message.TrimEnd('.')}.", e);
        }
    }

    private static Task RefuseForeignPages(HttpContext context, RequestDelegate next)
    {
        var host = context.Request.Host.Host.Trim('[', ']');
        var origin = context.Request.Headers.Origin.ToString();
        var hostIsPlain = IPAddress.TryParse(host, out _) || host == "localhost";
        if (hostIsPlain && (origin.Length == 0 || origin == $"{context.Request.Scheme}://{context.Request.Host}"))
        {
            return next(context);
        }

        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        return context.Response.WriteAsJsonAsync(
            new FaultModel("The agent answers only requests for its address, and none from another site's page."),
            ControlJson.Default.FaultModel);
    }

    private static async Task Status(HttpContext context, IAgentControl control)
    {
        var status = await control.GetStatusAsync(context.RequestAborted);
        await context.Response.WriteAsJsonAsync(status, ControlJson.Default.StatusModel, cancellationToken: context.RequestAborted);
    }

    /// <summary>One JSON object a line, at least one a second: how far it is, and at the end the result or the fault.</summary>
    private static async Task Verify(HttpContext context, IAgentControl control)
    {
        var aborted = context.RequestAborted;
        var volume = (string)context.Request.RouteValues["volume"]!;
        // Only the newest progress matters; a slow reader does not slow the comparison down.
        var lines = Channel.CreateBounded<VerifyLine>(new BoundedChannelOptions(4) { FullMode = BoundedChannelFullMode.DropOldest });
        var verify = Run();
        context.Response.ContentType = "application/x-ndjson";
        if (verify.IsCompleted && (await verify).Fault is not null)
        {
            // Refused before anything was compared: there is no such volume.
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            await WriteLine(context, await verify);
            return;
        }

        var last = new VerifyLine();
        var more = lines.Reader.WaitToReadAsync(aborted).AsTask();
        while (true)
        {
            await WriteLine(context, last);
            if (await Task.WhenAny(more, Task.Delay(SignOfLifeEvery, aborted)) != more)
            {
                continue;
            }

            if (!await more)
            {
                break;
            }

            while (lines.Reader.TryRead(out var line))
            {
                last = line;
            }

            more = lines.Reader.WaitToReadAsync(aborted).AsTask();
        }

        await WriteLine(context, await verify);

        async Task<VerifyLine> Run()
        {
            try
            {
                var result = await control.VerifyAsync(
                    volume,
                    (done, total) => lines.Writer.TryWrite(new VerifyLine { DoneBytes = done, TotalBytes = total }),
                    aborted);
                return new VerifyLine { DoneBytes = result.ComparedBytes, TotalBytes = result.ComparedBytes, Result = result };
            }
            catch (ControlException e)
            {
                return new VerifyLine { Fault = e.Message };
            }
            finally
            {
                lines.Writer.Complete();
            }
        }
    }

    private static async Task WriteLine(HttpContext context, VerifyLine line)
    {
        await JsonSerializer.SerializeAsync(context.Response.Body, line, ControlJson.Default.VerifyLine, context.RequestAborted);
        await context.Response.WriteAsync("\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    private static Exception Innermost(Exception e) => e.InnerException is null ? e : Innermost(e.InnerException);

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
