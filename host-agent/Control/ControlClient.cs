using System.Net.Http.Json;
using System.Text.Json;

namespace MirrorController.HostAgent.Control;

/// <summary>Asks an agent over HTTP. An agent that does not answer is an expected fault: a null.</summary>
internal sealed class ControlClient : IDisposable
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);
    private readonly HttpClient _http;

    /// <summary>Makes a client of the agent at an address.</summary>
    public ControlClient(Uri agent)
    {
        // A wildcard is where the agent listens, not where it can be asked.
        var host = agent.Host is "0.0.0.0" or "[::]" ? "127.0.0.1" : agent.Host;
        Agent = new UriBuilder(agent) { Host = host }.Uri;
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = AnswerTimeout })
        {
            BaseAddress = Agent,
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Gets the agent's address.</summary>
    public Uri Agent { get; }

    /// <summary>Gets the status; null when no agent answers within a few seconds.</summary>
    public async Task<StatusModel?> GetStatusAsync(CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(AnswerTimeout);
        try
        {
            return await _http.GetFromJsonAsync("status", ControlJson.Default.StatusModel, bound.Token);
        }
        catch (Exception e) when (IsNoAnswer(e) && !cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>Compares the members of a volume.</summary>
    /// <returns>The result; null when no agent answers.</returns>
    /// <exception cref="ControlException">The agent refused, or went away in the middle.</exception>
    public async Task<VerifyModel?> VerifyAsync(string volume, Action<long, long> progress, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "verify/" + Uri.EscapeDataString(volume));
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        }
        catch (HttpRequestException)
        {
            return null;
        }

        using (response)
        {
            try
            {
                return await ReadVerify(response, progress, cancellation);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or JsonException)
            {
                throw new ControlException($"The agent at {Agent} went away while it compared; ask again when it is back.");
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static async Task<VerifyModel> ReadVerify(HttpResponseMessage response, Action<long, long> progress, CancellationToken cancellation)
    {
        response.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation));
        while (await reader.ReadLineAsync(cancellation) is { } text)
        {
            var line = JsonSerializer.Deserialize(text, ControlJson.Default.VerifyLine)!;
            if (line.Fault is not null)
            {
                throw new ControlException(line.Fault);
            }

            progress(line.DoneBytes, line.TotalBytes);
            if (line.Result is not null)
            {
                return line.Result;
            }
        }

        throw new IOException("The answer ended early.");
    }

    private static bool IsNoAnswer(Exception e) => e is HttpRequestException or OperationCanceledException or JsonException or IOException;
}
