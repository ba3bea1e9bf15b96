using MirrorController.Tests.Unit.Runtime;

namespace MirrorController.Tests.Unit.Harness;

public sealed class SimLoopOtherSeedTests() : LoopContract(new SimLoopRig(20_26));
