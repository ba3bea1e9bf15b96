using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace MirrorController.HostAgent.Control;

/// <summary>Asks an agent over HTTP. An agent that does not answer is an expected fault: a null.</summary>
internal sealed class ControlClient : IDisposable
{
    /// <summary>The longest answer, and the longest line of one, in bytes: whatever listens at the address, this side's memory is bounded.</summary>
    private const int AnswerBytesMax = 16 << 20;

    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);
    private readonly HttpClient _http;

    /// <summary>Makes a client of the agent at an address.</summary>
    public ControlClient(Uri agent)
        : this(agent, new SocketsHttpHandler { UseProxy = false, ConnectTimeout = AnswerTimeout })
    {
    }

    /// <summary>Makes a client with its own way to the agent.</summary>
    internal ControlClient(Uri agent, HttpMessageHandler way)
    {
        // A wildcard is where the agent listens, not where it can be asked.
        var host = agent.Host is "0.0.0.0" or "[::]" ? "127.0.0.1" : agent.Host;
        Agent = new UriBuilder(agent) { Host = host }.Uri;
        _http = new HttpClient(way)
        {
            BaseAddress = Agent,
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = AnswerBytesMax,
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
            var status = await _http.GetFromJsonAsync("status", ControlJson.Default.StatusModel, bound.Token);
            return status is null || status.HasHoles() ? null : status;
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
        while (await ReadLineAsync(reader, silence.Token) is { } text)
        {
            silence.CancelAfter(AnswerTimeout);
            var line = JsonSerializer.Deserialize(text, ControlJson.Default.VerifyLine) ?? throw new JsonException("A line is null.");
            if (line.Fault is not null)
            {
                throw new ControlException(line.Fault);
            }

            progress(line.DoneBytes, line.TotalBytes);
            if (line.Result is not null)
            {
                return line.Result.Differences.Any(d => d is null) ? throw new JsonException("A difference is null.") : line.Result;
            }
        }

        throw new IOException("The answer ended early.");
    }

    /// <summary>Reads a line, but none without end.</summary>
    private static async Task<string?> ReadLineAsync(StreamReader reader, CancellationToken cancellation)
    {
        var line = new StringBuilder();
        var one = new char[1];
        while (await reader.ReadAsync(one, cancellation) > 0)
        {
            if (one[0] == '\n')
            {
                return line.ToString();
            }

            if (line.Length == AnswerBytesMax)
            {
                throw new IOException("A line of the answer does not end.");
            }

            line.Append(one[0]);
        }

        return line.Length == 0 ? null : line.ToString();
    }

    /// <summary>An agent that is there and hangs must not be passed over: the boards would be taken from it.</summary>
    private ControlException Silent() => new(
        $"No agent answers at {Agent}, but something holds its address; it must answer again or end before the boards can be asked without it.", nobodyAnswers: true);

    private static bool IsNoAnswer(Exception e) => e is HttpRequestException or OperationCanceledException or JsonException or IOException;
}
