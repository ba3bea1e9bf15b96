namespace MirrorController.HostAgent.Control;

/// <summary>What the agent can be asked for; the HTTP side calls it from its own threads.</summary>
/// <remarks>An implementation posts each request to the node's loop and completes the task from there.</remarks>
internal interface IAgentControl
{
    /// <summary>Tells how the volumes are.</summary>
    Task<StatusModel> GetStatusAsync(CancellationToken cancellation);

    /// <summary>Compares the members of a volume.</summary>
    /// <param name="volume">The volume's name.</param>
    /// <param name="progress">Is told the bytes done and the bytes in all, from any thread.</param>
    /// <param name="cancellation">Ends the comparison early.</param>
    /// <exception cref="ControlException">There is no such volume, or it cannot be compared now.</exception>
    Task<VerifyModel> VerifyAsync(string volume, Action<long, long> progress, CancellationToken cancellation);

    /// <summary>Begins a clean end: flush, close, exit. Returns at once.</summary>
    void BeginShutdown();
}

/// <summary>A request that the agent or a board refuses or does not answer, with one sentence for the caller.</summary>
/// <param name="sentence">The sentence.</param>
/// <param name="nobodyAnswers">Whether nothing was refused: who would know does not answer.</param>
internal sealed class ControlException(string sentence, bool nobodyAnswers = false) : Exception(sentence)
{
    /// <summary>Gets whether nothing was refused: who would know does not answer.</summary>
    public bool NobodyAnswers { get; } = nobodyAnswers;
}
