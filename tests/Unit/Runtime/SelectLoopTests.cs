using MirrorController.Runtime;

namespace MirrorController.Tests.Unit.Runtime;

public sealed class SelectLoopTests() : RealLoopContract(LoopBackend.Select);
