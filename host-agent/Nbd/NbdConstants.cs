namespace MirrorController.HostAgent.Nbd;

/// <summary>Numbers of the NBD protocol (its <c>doc/proto.md</c>), and this server's bounds. All numbers on the wire are big-endian.</summary>
internal static class NbdConstants
{
    /// <summary>First word of a greeting: <c>NBDMAGIC</c>.</summary>
    public const ulong GreetingMagic = 0x4e42444d41474943;

    /// <summary>Second word of a newstyle greeting and first of every option: <c>IHAVEOPT</c>.</summary>
    public const ulong OptionMagic = 0x49484156454F5054;

    /// <summary>First word of a reply to an option.</summary>
    public const ulong OptionReplyMagic = 0x0003e889045565a9;

    /// <summary>First word of a request.</summary>
    public const uint RequestMagic = 0x25609513;

    /// <summary>First word of a simple reply.</summary>
    public const uint SimpleReplyMagic = 0x67446698;

    /// <summary>The greeting: two magics and the handshake flags.</summary>
    public const int GreetingBytes = 18;

    /// <summary>The reserved zeroes after an answered <see cref="NbdOption.ExportName"/>.</summary>
    public const int ExportNameZeroesBytes = 124;

    /// <summary>Longest export name this server gives or looks up, in bytes of UTF-8.</summary>
    public const int NameBytesMax = 255;

    /// <summary>Longest option data taken in; longer data is skipped and refused. Room for the specification's longest name and 2000 information requests.</summary>
    public const int OptionDataBytesMax = 8192;

    /// <summary>Longest option data skipped; who announces more is disconnected.</summary>
    public const int OptionSkipBytesMax = 1 << 20;

    /// <summary>Options a client may send before it chooses an export.</summary>
    public const int OptionsMax = 256;

    /// <summary>How long a client may take to choose an export.</summary>
    public const long HandshakeMaxMs = 30_000;

    /// <summary>How long replies may take to leave after a disconnect request or a stop.</summary>
    public const long LingerMaxMs = 5_000;

    /// <summary>How often a connection that lingers looks whether its replies have left.</summary>
    public const long LingerStepMs = 5;

    /// <summary>Clients served at once.</summary>
    public const int ConnectionsMax = 256;

    /// <summary>Smallest request: bytes.</summary>
    public const int BlockBytesMin = 1;

    /// <summary>Longest payload of a request or a reply, in bytes.</summary>
    public const int PayloadBytesMax = 32 << 20;

    /// <summary>The volume takes requests in parts that end on multiples of this, in bytes.</summary>
    public const int PartBytesMax = 256 << 10;

    /// <summary>Requests of one client in flight.</summary>
    public const int RequestsMax = 1024;

    /// <summary>A client with this many bytes of replies unsent or being read gets no further request admitted.</summary>
    public const long UnsentBytesMax = 32 << 20;

    /// <summary>A client with this many bytes of writes not yet ended gets no further part of a write admitted.</summary>
    public const long WriteBytesMax = 32 << 20;
}

/// <summary>Flags that the server offers in its greeting.</summary>
[Flags]
internal enum NbdHandshakeFlags : ushort
{
    FixedNewstyle = 1,
    NoZeroes = 2,
}

/// <summary>Flags that the client answers the greeting with.</summary>
[Flags]
internal enum NbdClientFlags : uint
{
    FixedNewstyle = 1,
    NoZeroes = 2,
}

/// <summary>What an export can do.</summary>
[Flags]
internal enum NbdTransmissionFlags : ushort
{
    HasFlags = 1 << 0,
    SendFlush = 1 << 2,
    SendFua = 1 << 3,
    CanMultiConn = 1 << 8,

    /// <summary>What every volume can do; a flush covers the ended writes of all clients, hence several connections.</summary>
    Served = HasFlags | SendFlush | SendFua | CanMultiConn,
}

/// <summary>What a client asks for before it has chosen an export.</summary>
internal enum NbdOption : uint
{
    ExportName = 1,
    Abort = 2,
    List = 3,
    Info = 6,
    Go = 7,
}

/// <summary>Answers to options; errors have the top bit set.</summary>
internal enum NbdOptionReply : uint
{
    Ack = 1,
    Server = 2,
    Info = 3,
    Unsupported = 0x80000001,
    Invalid = 0x80000003,
    Unknown = 0x80000006,
    TooBig = 0x80000009,
}

/// <summary>Facts about an export.</summary>
internal enum NbdInfo : ushort
{
    Export = 0,
    Name = 1,
    Description = 2,
    BlockSize = 3,
}

/// <summary>Commands of the transmission phase; those not named are refused.</summary>
internal enum NbdCommand : ushort
{
    Read = 0,
    Write = 1,
    Disconnect = 2,
    Flush = 3,
}

/// <summary>Flags of a command.</summary>
[Flags]
internal enum NbdCommandFlags : ushort
{
    Fua = 1,
}

/// <summary>Errors in replies.</summary>
internal enum NbdError : uint
{
    None = 0,
    Io = 5,
    Invalid = 22,
    NoSpace = 28,
    Shutdown = 108,
}
