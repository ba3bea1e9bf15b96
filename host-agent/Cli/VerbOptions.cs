using System.CommandLine;
using System.CommandLine.Parsing;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime.Configuration;

namespace MirrorController.HostAgent.Cli;

/// <summary>Options that several verbs have, each with its own check.</summary>
internal static class VerbOptions
{
    /// <summary>Makes <c>--json</c>.</summary>
    public static Option<bool> Json() => new("--json") { Description = "Print JSON." };

    /// <summary>Makes an option for a size in bytes.</summary>
    public static Option<long?> Size(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "SIZE",
        CustomParser = result => Parse<long>(result, SizeText.TryParse, SizeText.Allowed),
    };

    /// <summary>Makes an option for a time in milliseconds.</summary>
    public static Option<long?> Duration(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = result => Parse<long>(result, DurationText.TryParse, DurationText.Allowed),
    };

    /// <summary>Makes an option for an address.</summary>
    public static Option<NodeAddress?> Address(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "HOST:PORT",
        CustomParser = result => Parse<NodeAddress>(result, NodeAddress.TryParse, "it must be HOST:PORT, as 127.0.0.1:10809"),
    };

    /// <summary>Makes an option for a path that may be left out.</summary>
    public static Option<string?> OptionalPath(string name, string description, string helpName) =>
        NotEmpty(new Option<string?>(name) { Description = description, HelpName = helpName });

    /// <summary>Makes an option for a path.</summary>
    public static Option<string> Path(string name, string description, string helpName) =>
        NotEmpty(new Option<string>(name) { Description = description, HelpName = helpName, Required = true });

    /// <summary>Makes an option for one of a few words.</summary>
    public static Option<string?> Choice(string name, string description, params string[] allowed)
    {
        var option = new Option<string?>(name) { Description = description, HelpName = string.Join('|', allowed) };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !allowed.Any(a => a == result.Tokens[^1].Value))
            {
                result.AddError($"{name} is '{result.Tokens[^1].Value}'; allowed are {string.Join(", ", allowed)}");
            }
        });
        return option;
    }

    /// <summary>Makes an option for a whole number within limits.</summary>
    public static Option<int?> Number(string name, string description, int min, int max) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result => Parse<int>(
            result,
            (string? text, out int value) => int.TryParse(text, out value) && value >= min && value <= max,
            $"allowed are whole numbers from {min} to {max}"),
    };

    private static Option<T> NotEmpty<T>(Option<T> option)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && string.IsNullOrWhiteSpace(result.Tokens[^1].Value))
            {
                result.AddError($"{option.Name} is empty; it must name a path");
            }
        });
        return option;
    }

    private delegate bool TryParse<T>(string? text, out T value);

    private static T? Parse<T>(ArgumentResult result, TryParse<T> parse, string allowed)
        where T : struct
    {
        var text = result.Tokens.Count == 0 ? "" : result.Tokens[^1].Value;
        if (parse(text, out var value))
        {
            return value;
        }

        result.AddError($"{(result.Parent as OptionResult)?.Option.Name ?? result.Argument.Name} is '{text}'; {allowed}");
        return null;
    }
}
