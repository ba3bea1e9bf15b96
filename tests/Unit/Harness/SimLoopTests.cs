using MirrorController.Tests.Unit.Runtime;

namespace MirrorController.Tests.Unit.Harness;

public sealed class SimLoopTests() : LoopContract(new SimLoopRig(1));
