using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Firmware.Array;

/// <summary>A board's links to other boards, made when a copy needs them (rule R3: copies go board to board).</summary>
internal sealed class PeerLinks(BoardNode board, INetwork network) : IBoardLinkOwner
{
    private const long ReadyMaxMs = 5000;
    private readonly Dictionary<NodeAddress, BoardLink> _links = [];

    /// <summary>Reads a source's blocks for a copy.</summary>
    /// <returns>The data with one reference for the caller, or null and one sentence.</returns>
    public async Task<(Payload? Data, string Fault)> ReadAsync(NodeAddress source, FrameHeader copy, VolumeRecord record, int lengthBytes)
    {
        var link = Find(source);
        var end = board.Loop.NowMicros + (ReadyMaxMs * 1000);
        while (!link.IsReady)
        {
            if (board.Loop.NowMicros > end)
            {
                return (null, $"Board {board.Options.Name} does not reach the board at {source}: {link.Reason}.");
            }

            await board.Signal.ChangedOrAfterAsync(100);
        }

        var header = new FrameHeader
        {
            Command = Command.CopyRead,
            VolumeKey = VolumeIds.FromGuid(record.VolumeId).Key,
            Session = copy.Session,
            BootId = copy.Tag,
            Address = copy.Address,
            Count = copy.Count,
            Generator = copy.Generator,
            Token = copy.Token,
        };
        var answer = await link.AskAsync(header);
        if (!answer.IsOk)
        {
            return (null, $"The board at {source} did not give {copy.Count} blocks at {copy.Address}: {answer.Fault}");
        }

        if (answer.Body.Length != lengthBytes)
        {
            return (null, $"The board at {source} gave {answer.Body.Length} bytes instead of {lengthBytes}.");
        }

        return (Payload.Take(Slice.Copy(answer.Body)), string.Empty);
    }

    public void Stop()
    {
        foreach (var link in _links.Values)
        {
            link.Stop();
        }

        _links.Clear();
    }

    public Hello MakeHello(BoardLink link, byte[] nonce) => new()
    {
        Role = HelloRole.Peer,
        Volume = board.Volume is { } volume ? VolumeIds.FromGuid(volume.Record.VolumeId) : VolumeId.None,
        VolumeName = board.Volume?.Record.Name ?? string.Empty,
        Nonce = nonce,
    };

    public void LinkReady(BoardLink link, BoardState state) => board.Signal.Pulse();

    public void LinkFrame(BoardLink link, in FrameHeader header, Payload? payload)
    {
        board.Log.Warning($"The board at {link.Address} sent the unexpected frame {header.Command}.");
        link.Reset("it sent an unexpected frame");
    }

    public void LinkDrained(BoardLink link)
    {
    }

    public void LinkLost(BoardLink link, string reason) => board.Signal.Pulse();

    private BoardLink Find(NodeAddress source)
    {
        if (!_links.TryGetValue(source, out var link))
        {
            link = new BoardLink(board.Loop, network, board.Random, board.Log, this, source.ToString(), source, board.Options.Secret);
            _links.Add(source, link);
            link.Start();
        }

        return link;
    }
}
