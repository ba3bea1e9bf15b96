using MirrorController.Tests.Simulation;
using MirrorController.Tests.Simulation.Coverage;

return args.Contains("--coverage") ? CoverageContext.Run(args) : SimulateCommand.Run(args);
