namespace MirrorController.Runtime.Configuration;

/// <summary>The kinds of value a configuration file holds.</summary>
internal enum ConfigKind
{
    Object,
    List,
    Text,
    Number,
    Truth,
    Null,
}

/// <summary>One value of a configuration file, with the line it stands on.</summary>
internal sealed class ConfigValue(ConfigKind kind, int line)
{
    public ConfigKind Kind { get; } = kind;

    /// <summary>Gets the line, counted from 1.</summary>
    public int Line { get; } = line;

    /// <summary>Gets the text of a text, number or truth value as it stands in the file.</summary>
    public string Text { get; init; } = "";

    /// <summary>Gets an object's keys and values in the file's order.</summary>
    public List<KeyValuePair<string, ConfigValue>> Members { get; } = [];

    /// <summary>Gets a list's items.</summary>
    public List<ConfigValue> Items { get; } = [];

    /// <summary>Gets how a message names this value.</summary>
    public string Shown => Kind switch
    {
        ConfigKind.Object => "an object",
        ConfigKind.List => "a list",
        ConfigKind.Null => "null",
        ConfigKind.Text => $"\"{Text}\"",
        _ => Text,
    };
}
