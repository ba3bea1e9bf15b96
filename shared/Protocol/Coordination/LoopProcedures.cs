using MirrorController.Protocol.Seams;

namespace MirrorController.Protocol.Coordination;

/// <summary>Starts procedures on a loop.</summary>
public static class LoopProcedures
{
    /// <summary>Lets an exception of a procedure halt the loop instead of vanishing in a task.</summary>
    /// <param name="loop">The node's loop.</param>
    /// <param name="procedure">The procedure, running.</param>
    /// <param name="node">Whose procedure it is, for the sentence.</param>
    public static void Guard(this ILoop loop, Task procedure, string node)
    {
        if (!procedure.IsCompletedSuccessfully)
        {
            _ = AwaitAsync();
        }

        async Task AwaitAsync()
        {
            try
            {
                await procedure;
            }
            catch (Exception e)
            {
                loop.Post(() => throw new InvariantException($"a procedure of the {node} ended with: {e}"));
            }
        }
    }
}
