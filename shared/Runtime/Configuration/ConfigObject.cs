using System.Globalization;
using MirrorController.Protocol.Seams;

namespace MirrorController.Runtime.Configuration;

/// <summary>An object of a configuration file, read key by key; <see cref="End"/> refuses the keys nobody asked for.</summary>
/// <remarks>A value that is missing or wrong adds a fault to the file and reads as its default, so that all mistakes are found in one go.</remarks>
public sealed class ConfigObject
{
    private readonly ConfigFile _file;
    private readonly ConfigValue _value;
    private readonly string _where;
    private readonly List<string> _known = [];

    internal ConfigObject(ConfigFile file, ConfigValue value, string where)
    {
        _file = file;
        _value = value;
        _where = where;
    }

    /// <summary>Reads a text that must be there.</summary>
    public string Text(string key) => Find(key, ConfigKind.Text, "a text", required: true)?.Text ?? "";

    /// <summary>Reads a text that may be missing.</summary>
    public string? OptionalText(string key) => Find(key, ConfigKind.Text, "a text", required: false)?.Text;

    /// <summary>Reads a name: letters, digits, '-', '_' and '.', at most 64 of them.</summary>
    public string Name(string key)
    {
        var value = Find(key, ConfigKind.Text, "a text", required: true);
        if (value is null)
        {
            return "";
        }

        if (!NameText.IsName(value.Text))
        {
            Fault(value, $"\"{key}\" is {value.Shown}; {NameText.Allowed}");
        }

        return value.Text;
    }

    /// <summary>Reads one of a few words.</summary>
    public string Choice(string key, string? fallback, params ReadOnlySpan<string> allowed)
    {
        var value = Find(key, ConfigKind.Text, "a text", required: fallback is null);
        if (value is null)
        {
            return fallback ?? allowed[0];
        }

        foreach (var word in allowed)
        {
            if (word == value.Text)
            {
                return word;
            }
        }

        Fault(value, $"\"{key}\" is {value.Shown}; allowed are {string.Join(", ", allowed!)}");
        return fallback ?? allowed[0];
    }

    /// <summary>Reads a whole number within limits.</summary>
    public long Integer(string key, long fallback, long min, long max) => OptionalInteger(key, min, max) ?? fallback;

    /// <summary>Reads a whole number within limits that may be missing.</summary>
    public long? OptionalInteger(string key, long min, long max)
    {
        var value = Find(key, ConfigKind.Number, "a number", required: false);
        if (value is null)
        {
            return null;
        }

        if (long.TryParse(value.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number >= min && number <= max)
        {
            return number;
        }

        Fault(value, $"\"{key}\" is {value.Shown}; allowed are whole numbers from {min} to {max}");
        return null;
    }

    /// <summary>Reads a HOST:PORT; without a fallback it must be there.</summary>
    public NodeAddress Address(string key, string? fallback)
    {
        var value = Find(key, ConfigKind.Text, "a text", required: fallback is null);
        if (value is null)
        {
            return NodeAddress.TryParse(fallback, out var standard) ? standard : default;
        }

        if (!NodeAddress.TryParse(value.Text, out var address))
        {
            Fault(value, $"\"{key}\" is {value.Shown}; it must be HOST:PORT, as 127.0.0.1:7710");
        }

        return address;
    }

    /// <summary>Reads a HOST:PORT that may be missing.</summary>
    public NodeAddress? OptionalAddress(string key) => Find(key, ConfigKind.Text, "a text", required: false) is null ? null : Address(key, null);

    /// <summary>Reads a time such as "30s" in milliseconds.</summary>
    public long DurationMs(string key, string fallback)
    {
        var value = Find(key, ConfigKind.Text, "a text", required: false);
        if (!DurationText.TryParse(value?.Text ?? fallback, out var milliseconds))
        {
            Fault(value, $"\"{key}\" is {value?.Shown}; {DurationText.Allowed}");
        }

        return milliseconds;
    }

    /// <summary>Reads a path and makes it absolute.</summary>
    public string FilePath(string key) => Find(key, ConfigKind.Text, "a path", required: true) is { Text.Length: > 0 } value
        ? _file.Resolve(value.Text)
        : "";

    /// <summary>Reads a path that may be missing and makes it absolute.</summary>
    public string? OptionalFilePath(string key) => Find(key, ConfigKind.Text, "a path", required: false) is { Text.Length: > 0 } value
        ? _file.Resolve(value.Text)
        : null;

    /// <summary>Reads a bus address as "0x50" or 80.</summary>
    public int? OptionalBusAddress(string key, int min, int max)
    {
        var at = _value.Members.Find(m => m.Key == key).Value;
        if (at is { Kind: ConfigKind.Number })
        {
            return (int?)OptionalInteger(key, min, max);
        }

        var value = Find(key, ConfigKind.Text, "a text", required: false);
        if (value is null)
        {
            return null;
        }

        if (value.Text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            && int.TryParse(value.Text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
            && number >= min && number <= max)
        {
            return number;
        }

        Fault(value, $"\"{key}\" is {value.Shown}; allowed are 0x{min:x2} to 0x{max:x2}");
        return null;
    }

    /// <summary>Reads the volume's secret: hexadecimal in "secret", or in the file that "secretFile" names.</summary>
    public byte[] Secret()
    {
        var hex = Find("secret", ConfigKind.Text, "a text", required: false);
        var file = Find("secretFile", ConfigKind.Text, "a path", required: false);
        if ((hex is null) == (file is null))
        {
            FaultIfExpected(hex, $"{_where} needs either \"secret\" or \"secretFile\"{(hex is null ? "" : ", not both")}");
            return [];
        }

        var bytes = hex is not null ? SecretText.Parse(hex.Text, out var fault) : SecretText.Read(_file.Resolve(file!.Text), out fault);
        if (bytes is null)
        {
            Fault(hex ?? file, fault!);
        }

        return bytes ?? [];
    }

    /// <summary>Reads an object that must be there.</summary>
    public ConfigObject Object(string key)
    {
        var value = Find(key, ConfigKind.Object, "an object", required: true);
        return new ConfigObject(_file, value ?? new ConfigValue(ConfigKind.Object, _value.Line), $"\"{key}\"") { IsMissing = value is null };
    }

    /// <summary>Reads a list of objects that must be there with at least one.</summary>
    public IReadOnlyList<ConfigObject> Objects(string key)
    {
        var list = Find(key, ConfigKind.List, "a list", required: true);
        var objects = new List<ConfigObject>();
        foreach (var item in list?.Items ?? [])
        {
            if (item.Kind == ConfigKind.Object)
            {
                objects.Add(new ConfigObject(_file, item, $"an item of \"{key}\""));
            }
            else
            {
                Fault(item, $"\"{key}\" holds {item.Shown}; its items are objects, {{ ... }}");
            }
        }

        if (list is { Items.Count: 0 })
        {
            Fault(list, $"\"{key}\" is empty; it needs at least one item");
        }

        return objects;
    }

    /// <summary>Gets whether this object stands for one that is missing and has been complained about.</summary>
    public bool IsMissing { get; private init; }

    /// <summary>Adds a fault at a key, or at the object when the key is not there.</summary>
    public void Fault(string key, string sentence) => Fault(_value.Members.Find(m => m.Key == key).Value, sentence);

    /// <summary>Ends the reading: keys that nobody asked for are refused.</summary>
    public void End()
    {
        foreach (var (key, value) in _value.Members)
        {
            if (!_known.Contains(key))
            {
                Fault(value, $"\"{key}\" is not known in {_where}; allowed are {string.Join(", ", _known)}");
            }
        }
    }

    private bool ExpectsMembers => !IsMissing && (_file.Faults.Count == 0 || _value.Members.Count > 0);

    private void FaultIfExpected(ConfigValue? at, string sentence)
    {
        if (ExpectsMembers)
        {
            Fault(at, sentence);
        }
    }

    private void Fault(ConfigValue? at, string sentence) => _file.AddFault((at ?? _value).Line, sentence);

    private ConfigValue? Find(string key, ConfigKind kind, string kindName, bool required)
    {
        if (!_known.Contains(key))
        {
            _known.Add(key);
        }

        var value = _value.Members.Find(m => m.Key == key).Value;
        if (value is null)
        {
            // A file or object that is not there has been complained about; its keys need no complaint of their own.
            if (required && ExpectsMembers)
            {
                Fault(_value, $"{_where} has no \"{key}\"");
            }

            return null;
        }

        if (value.Kind != kind)
        {
            Fault(value, $"\"{key}\" is {value.Shown}; it must be {kindName}");
            return null;
        }

        return value;
    }
}
