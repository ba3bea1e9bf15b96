namespace MirrorController.Runtime.Configuration;

/// <summary>The volume's secret in hexadecimal, as it stands in configuration files.</summary>
public static class SecretText
{
    /// <summary>The shortest secret in bytes.</summary>
    public const int BytesMin = 16;

    /// <summary>The longest secret in bytes.</summary>
    public const int BytesMax = 64;

    /// <summary>Reads a secret from text; null and one sentence without the secret when it is none.</summary>
    public static byte[]? Parse(string text, out string? fault)
    {
        fault = null;
        text = text.Trim();
        if (text.Length % 2 == 0 && text.Length is >= 2 * BytesMin and <= 2 * BytesMax && text.All(char.IsAsciiHexDigit))
        {
            return Convert.FromHexString(text);
        }

        fault = $"a secret has {2 * BytesMin} to {2 * BytesMax} hexadecimal digits, an even number of them, as 'openssl rand -hex 32' prints them";
        return null;
    }

    /// <summary>Reads a secret from a file; null and one sentence when there is none.</summary>
    public static byte[]? Read(string path, out string? fault)
    {
        try
        {
            var secret = Parse(File.ReadAllText(path), out fault);
            fault = fault is null ? null : $"{path} holds no secret: {fault}";
            return secret;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            fault = $"the secret's file {path} cannot be read: {e.Message.TrimEnd('.')}";
            return null;
        }
    }
}
