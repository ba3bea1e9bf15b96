using System.Text;
using System.Text.Json;

namespace MirrorController.Runtime.Configuration;

/// <summary>Reads JSON with comments into values that know their lines; a key that stands twice in an object is refused.</summary>
internal static class ConfigParser
{
    private const int DepthMax = 16;

    /// <summary>Parses the bytes of a file.</summary>
    /// <exception cref="JsonException">The text is no JSON; line and reason are in it.</exception>
    public static ConfigValue Parse(ReadOnlySpan<byte> bytes)
    {
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions
        {
            CommentHandling = JsonCommentHandling.Skip,
            AllowTrailingCommas = true,
            MaxDepth = DepthMax,
        });
        var lines = new LineCounter(bytes);
        if (!reader.Read())
        {
            throw new JsonException("the file is empty");
        }

        var value = ReadValue(ref reader, ref lines);
        reader.Read();
        return value;
    }

    private static ConfigValue ReadValue(ref Utf8JsonReader reader, ref LineCounter lines)
    {
        var line = lines.LineOf(reader.TokenStartIndex);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return ReadObject(ref reader, ref lines, line);
            case JsonTokenType.StartArray:
                var list = new ConfigValue(ConfigKind.List, line);
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    list.Items.Add(ReadValue(ref reader, ref lines));
                }

                return list;
            case JsonTokenType.String:
                return new ConfigValue(ConfigKind.Text, line) { Text = TextOf(ref reader, line) };
            case JsonTokenType.Number:
                return new ConfigValue(ConfigKind.Number, line) { Text = Encoding.UTF8.GetString(reader.ValueSpan) };
            case JsonTokenType.True:
            case JsonTokenType.False:
                return new ConfigValue(ConfigKind.Truth, line) { Text = reader.TokenType == JsonTokenType.True ? "true" : "false" };
            default:
                return new ConfigValue(ConfigKind.Null, line);
        }
    }

    private static ConfigValue ReadObject(ref Utf8JsonReader reader, ref LineCounter lines, int line)
    {
        var value = new ConfigValue(ConfigKind.Object, line);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var keyLine = lines.LineOf(reader.TokenStartIndex);
            var key = TextOf(ref reader, keyLine);
            if (value.Members.Exists(m => m.Key == key))
            {
                throw new JsonException($"\"{key}\" stands twice", null, keyLine - 1, null);
            }

            reader.Read();
            value.Members.Add(new(key, ReadValue(ref reader, ref lines)));
        }

        return value;
    }

    /// <summary>Decodes a text. One with a zero character is refused here: no path, name or address may have one.</summary>
    private static string TextOf(ref Utf8JsonReader reader, int line)
    {
        try
        {
            var text = reader.GetString()!;
            return text.Contains('\0', StringComparison.Ordinal) ? throw new JsonException("a text holds a zero character", null, line - 1, null) : text;
        }
        catch (InvalidOperationException e)
        {
            // The reader looks at a text's bytes only when it is asked for it.
            throw new JsonException("a text is no valid UTF-8 or UTF-16", null, line - 1, null, e);
        }
    }

    /// <summary>Turns rising byte offsets into line numbers.</summary>
    private ref struct LineCounter(ReadOnlySpan<byte> bytes)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;
        private int _offset;
        private int _line = 1;

        public int LineOf(long offset)
        {
            for (; _offset < offset; _offset++)
            {
                if (_bytes[_offset] == (byte)'\n')
                {
                    _line++;
                }
            }

            return _line;
        }
    }
}
