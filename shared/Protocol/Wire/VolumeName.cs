namespace MirrorController.Protocol.Wire;

/// <summary>What a volume may be called.</summary>
public static class VolumeName
{
    /// <summary>The most bytes.</summary>
    public const int LengthMax = 32;

    /// <summary>Tells whether a name has 1 to 32 letters, digits, '-', '_' or '.', the first one a letter or digit.</summary>
    public static bool IsValid(string name)
    {
        if (name.Length is 0 or > LengthMax || !char.IsAsciiLetterOrDigit(name[0]))
        {
            return false;
        }

        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
            {
                return false;
            }
        }

        return true;
    }
}
