using System.Text;
using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Tags;

namespace MirrorController.Tests.Unit.Nvm;

/// <summary>What the volumes of a chip hold, as a text that can be compared; a model that records can be applied to.</summary>
internal sealed class StoredContent(int volumes)
{
    private readonly SortedDictionary<ulong, string>[] _entries = [.. Enumerable.Range(0, volumes).Select(_ => new SortedDictionary<ulong, string>())];
    private readonly List<RepairMark>[] _marks = [.. Enumerable.Range(0, volumes).Select(_ => new List<RepairMark>())];
    private readonly Tag[] _durable = new Tag[volumes];
    private readonly Tag[] _retired = new Tag[volumes];

    public static StoredContent Of(NvmStore store, int volumes)
    {
        var content = new StoredContent(volumes);
        for (var slot = 0; slot < volumes; slot++)
        {
            var volume = store.Volume(slot)!;
            for (var i = 0; i < volume.Table.Count; i++)
            {
                var entry = volume.Table[i];
                Assert.True(entry.Stored);
                Assert.True(entry.Tag > volume.Retired, "nothing up to R is live");
                content._entries[slot].Add(entry.Tag.Value, $"{entry.Tag} {entry.Range} g{entry.Generator}");
            }

            content._marks[slot].AddRange(volume.Marks);
            content._durable[slot] = volume.Durable;
            content._retired[slot] = volume.Retired;
        }

        return content;
    }

    public StoredContent Copy()
    {
        var copy = new StoredContent(_entries.Length);
        for (var slot = 0; slot < _entries.Length; slot++)
        {
            foreach (var (tag, text) in _entries[slot])
            {
                copy._entries[slot].Add(tag, text);
            }

            copy._marks[slot].AddRange(_marks[slot]);
            copy._durable[slot] = _durable[slot];
            copy._retired[slot] = _retired[slot];
        }

        return copy;
    }

    public void Entry(int slot, Tag tag, Protocol.Blocks.BlockRange range, ushort generator) =>
        _entries[slot].Add(tag.Value, $"{tag} {range} g{generator}");

    public void Retire(int slot, Tag tag)
    {
        _retired[slot] = Tag.Max(_retired[slot], tag);
        foreach (var gone in _entries[slot].Keys.Where(value => value <= tag.Value).ToArray())
        {
            _ = _entries[slot].Remove(gone);
        }
    }

    public void Durable(int slot, Tag tag) => _durable[slot] = Tag.Max(_durable[slot], tag);

    public void Remove(int slot, Tag tag) => _entries[slot].Remove(tag.Value);

    public void Mark(int slot, RepairMark mark)
    {
        if (_marks[slot].Exists(known => known.Absorbs(mark) && !mark.Absorbs(known)))
        {
            return;
        }

        _ = _marks[slot].RemoveAll(mark.Absorbs);
        _marks[slot].Add(mark);
    }

    public void ClearMarks(int slot, uint belowSession) => _marks[slot].RemoveAll(mark => mark.Session < belowSession);

    public Tag Retired(int slot) => _retired[slot];

    public int MarkCount(int slot) => _marks[slot].Count;

    public IEnumerable<ulong> Tags(int slot) => _entries[slot].Keys;

    public override string ToString()
    {
        var text = new StringBuilder();
        for (var slot = 0; slot < _entries.Length; slot++)
        {
            var marks = _marks[slot].Select(mark => mark.ToString()).Order(StringComparer.Ordinal);
            _ = text.Append($"volume {slot} D {_durable[slot]} R {_retired[slot]}\n").AppendJoin('\n', _entries[slot].Values).Append('\n').AppendJoin('\n', marks).Append('\n');
        }

        return text.ToString();
    }
}
