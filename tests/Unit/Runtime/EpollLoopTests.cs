using MirrorController.Runtime;

namespace MirrorController.Tests.Unit.Runtime;

public sealed class EpollLoopTests() : RealLoopContract(LoopBackend.Epoll);
