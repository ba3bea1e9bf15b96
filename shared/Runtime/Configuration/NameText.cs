namespace MirrorController.Runtime.Configuration;

/// <summary>Names of boards and volumes: safe in paths, URIs, logs and on command lines.</summary>
public static class NameText
{
    /// <summary>The longest name in characters.</summary>
    public const int LengthMax = 64;

    /// <summary>What a name may be, for messages.</summary>
    public const string Allowed = "a name has 1 to 64 letters, digits, '-', '_' or '.', and begins with a letter or digit";

    /// <summary>Tells whether a text is a name.</summary>
    public static bool IsName(string text) => text.Length is > 0 and <= LengthMax
        && char.IsAsciiLetterOrDigit(text[0])
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
