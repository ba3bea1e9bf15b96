using System.Net;
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
    /// <exception cref="ControlException">The agent refused, is silent, or went away in the middle.</exception>
    public async Task<VerifyModel?> VerifyAsync(string volume, Action<long, long> progress, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "verify/" + Uri.EscapeDataString(volume));
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        silence.CancelAfter(AnswerTimeout);
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, silence.Token);
        }
        catch (HttpRequestException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw Silent();
        }

        using (response)
        {
            try
            {
                return await ReadVerify(response, progress, silence);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw Silent();
            }
            catch (Exception e) when (e is HttpRequestException or IOException or JsonException)
            {
                throw new ControlException($"The agent at {Agent} went away while it compared; ask again when it is back.", nobodyAnswers: true);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>The agent says something every second, so that a silent one is known.</summary>
    private static async Task<VerifyModel> ReadVerify(HttpResponseMessage response, Action<long, long> progress, CancellationTokenSource silence)
    {
        if (response.StatusCode != HttpStatusCode.NotFound)
        {
            response.EnsureSuccessStatusCode();
        }

        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(silence.Token));
        while (await reader.ReadLineAsync(silence.Token) is { } text)
        {
            silence.CancelAfter(AnswerTimeout);
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

    /// <summary>An agent that is there and hangs must not be passed over: the boards would be taken from it.</summary>
    private ControlException Silent() => new(
        $"No agent answers at {Agent}, but something holds its address; it must answer again or end before the boards can be asked without it.", nobodyAnswers: true);

    private static bool IsNoAnswer(Exception e) => e is HttpRequestException or OperationCanceledException or JsonException or IOException;
}
