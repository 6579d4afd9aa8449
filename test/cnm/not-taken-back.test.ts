import assert from "node:assert/strict";
import { test } from "node:test";
import { addressPart } from "../../src/core/index.ts";
import { isWeftError } from "../../src/index.ts";
import { KernelError, type Operation } from "../../src/kernel/index.ts";
import { withTwin } from "./world.ts";

const subnets = [{ subnet: "10.5.0.0/29" }];

/** Refuses the route of a join, and then that its interface is deleted. */
function refuseJoinAndReturn({ op, object }: Operation): KernelError | undefined {
  const join = op === "create" && object.kind === "route";
  const back = op === "delete" && object.kind === "link";
  return join || back ? new KernelError({ errno: 12, call: op, object: object.kind }) : undefined;
}

test("an address is not given out again while the interface of a failed join stays", () =>
  withTwin(async (world) => {
    const network = await world.controller.createNetwork("bridge", "n1", { ipam: { subnets } });
    const sandbox = await world.controller.createSandbox("c1");
    world.twin.onOperation = refuseJoinAndReturn;
    await assert.rejects(sandbox.connect(network, { name: "e1" }), (error) => isWeftError(error, "TEARDOWN"));
    world.twin.onOperation = () => undefined;
    const next = await network.createEndpoint("e2");
    const { ipv4Address } = await next.info();
    assert.ok(ipv4Address);
    assert.notEqual(addressPart(ipv4Address), "10.5.0.2");
    assert.ok(world.events.some(({ event }) => event === "removal-failed"));

    const again = await world.restart();
    await world.settle();
    assert.deepEqual(await again.drift(), []);
    const freed = await again.network("n1").createEndpoint("e3", { ipv4Address: "10.5.0.2" });
    assert.equal((await freed.info()).ipv4Address, "10.5.0.2/29");
  }));
