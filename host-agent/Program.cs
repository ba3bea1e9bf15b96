using MirrorController.HostAgent.Cli;
using MirrorController.HostAgent.Control;

using var boards = new BoardDirectory();
return await CommandLine.RunAsync(new CliContext(Screen.Standard, boards), args);
