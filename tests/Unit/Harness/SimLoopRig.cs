using MirrorController.Protocol.Seams;
using MirrorController.Tests.Harness;
using MirrorController.Tests.Unit.Runtime;

namespace MirrorController.Tests.Unit.Harness;

/// <summary>A simulated loop for the contract suite.</summary>
public sealed class SimLoopRig : LoopRig
{
    private readonly SimWorld _world;
    private readonly SimLoop _loop;

    public SimLoopRig(ulong seed)
    {
        _world = new SimWorld(seed);
        _loop = new SimLoop(_world, "node");
        Network = new SimNetwork(_loop);
    }

    public override ILoop Loop => _loop;

    public override INetwork Network { get; }

    public override NodeAddress ListenAddress => new("localhost", 0);

    public override NodeAddress NobodysAddress => new("localhost", 9);

    public override NodeAddress SilentAddress() => _world.Fabric.AddUnansweringHost("silent");

    public override void RunUntil(Func<bool> condition) => _world.RunUntil(condition);

    public override void Dispose()
    {
    }
}
