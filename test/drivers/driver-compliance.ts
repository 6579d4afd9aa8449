import assert from "node:assert/strict";
import { test } from "node:test";
import type { NewSandbox } from "../../src/cnm/index.ts";
import { newId, parseInterfaceAddress, parseMac, parsePrefix } from "../../src/core/index.ts";
import type { Driver, DriverEndpoint, DriverJoin, DriverNetwork } from "../../src/drivers/index.ts";
import { seededRandom } from "../cnm/deterministic.ts";
import { tablesOf } from "../cnm/tables-text.ts";
import { onBoth, type World, type WorldOptions } from "../cnm/world.ts";

/** A driver under test, and what its networks need. */
export interface DriverUnderTest {
  readonly name: string;
  readonly world?: () => WorldOptions;
  readonly sandbox?: NewSandbox;
  /** The options of its networks. */
  readonly options?: Readonly<Record<string, string>>;
  /** Puts on the host what the networks are built on. */
  readonly prepare?: (world: World) => void;
  /** The driver itself, for its plans. */
  readonly driver: () => Driver;
  /** What only this driver's state tells, beside kernel, records and held. */
  readonly left?: (world: World) => readonly string[];
}

/** What every network driver has to keep to, native or not. */
export function driverCompliance(under: DriverUnderTest): void {
  const { name, sandbox = {}, prepare = () => {} } = under;
  const makeNetwork = ({ controller }: World) =>
    controller.createNetwork(name, "net", under.options === undefined ? {} : { options: under.options });
  const options = () => under.world?.() ?? {};
  const nothingLeft = async (world: World, before: readonly string[]) => {
    await world.settle();
    assert.deepEqual(await tablesOf(world), before);
    assert.deepEqual(under.left?.(world) ?? [], []);
    assert.deepEqual(world.events, []);
  };

  onBoth(
    `a ${name} network, its endpoint, a join, a leave and their deletion leave nothing behind`,
    async (world) => {
      prepare(world);
      const before = await tablesOf(world);
      const network = await makeNetwork(world);
      const endpoint = await network.createEndpoint("e1");
      const box = await world.controller.createSandbox("c1", sandbox);
      await endpoint.join(box);
      assert.deepEqual(await world.controller.drift(), []);
      assert.equal((await endpoint.info()).sandbox, box.id);
      await endpoint.leave();
      assert.equal((await endpoint.info()).sandbox, undefined);
      await endpoint.join(box);
      await endpoint.leave();
      await endpoint.delete();
      await network.delete();
      await box.delete();
      await nothingLeft(world, before);
    },
    options(),
  );

  onBoth(
    `a sandbox on a ${name} network takes its endpoints along`,
    async (world) => {
      prepare(world);
      const before = await tablesOf(world);
      const network = await makeNetwork(world);
      const box = await world.controller.createSandbox("c1", sandbox);
      await box.connect(network);
      await box.delete();
      await network.delete();
      await nothingLeft(world, before);
    },
    options(),
  );

  onBoth(
    `a restart and a death change nothing of a ${name} network, and it can be deleted after them`,
    async (world) => {
      prepare(world);
      const before = await tablesOf(world);
      const network = await makeNetwork(world);
      const box = await world.controller.createSandbox("c1", sandbox);
      await box.connect(network, { name: "e1" });
      await world.settle();
      const there = await tablesOf(world);
      await world.restart();
      await world.settle();
      assert.deepEqual(await tablesOf(world), there);
      await world.kill();
      await world.settle();
      assert.deepEqual(await tablesOf(world), there);
      assert.deepEqual(await world.controller.drift(), []);
      await world.controller.network("net").endpoint("e1").delete({ force: true });
      await world.controller.sandbox("c1").delete();
      await world.controller.network("net").delete();
      await nothingLeft(world, before);
    },
    options(),
  );

  test(`the plans of driver ${name} are functions of what they are given`, async () => {
    const driver = under.driver();
    const { network: asked, endpoint } = sample(driver, under.options);
    const answer = await driver.createNetwork(asked, []);
    const network = { ...asked, answer };
    const joined = await driver.join(network, endpoint, { sandboxId: network.id, netns: "/n/c1" });
    const join: DriverJoin = { sandboxId: network.id, netns: "/n/c1", ifname: "eth0", publishes: false };
    const plans = () => [driver.planNetwork(network), driver.planEndpoint(network, endpoint, join, joined)];
    const first = plans();
    deepFreeze([network, endpoint, join, joined]);
    assert.deepEqual(plans(), first);
    // A record that went through the store plans the same.
    const copied = JSON.parse(JSON.stringify({ network, endpoint, join, joined }));
    assert.deepEqual(
      [
        under.driver().planNetwork(copied.network),
        under.driver().planEndpoint(copied.network, copied.endpoint, copied.join, copied.joined),
      ],
      first,
    );
  });
}

function sample(
  driver: Driver,
  options: Readonly<Record<string, string>> = {},
): { readonly network: DriverNetwork; readonly endpoint: DriverEndpoint } {
  const random = seededRandom("compliance");
  const network: DriverNetwork = {
    id: newId(random),
    name: "net",
    options,
    internal: false,
    ipv4: true,
    ipv6: false,
    pools: [
      {
        family: 4,
        pool: parsePrefix("10.7.0.0/24"),
        gateway: parseInterfaceAddress("10.7.0.1/24"),
        auxAddresses: {},
      },
    ],
    answer: {},
  };
  const sharesMac = driver.sharesMac?.(network) === true;
  return {
    network,
    endpoint: {
      id: newId(random),
      name: "e1",
      options: {},
      addresses: [parseInterfaceAddress("10.7.0.2/24")],
      macAddress: sharesMac ? undefined : parseMac("02:00:00:00:00:02"),
    },
  };
}

function deepFreeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
}
