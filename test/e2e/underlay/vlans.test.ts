import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { runAll } from "../../../src/core/index.ts";
import { Controller, type Sandbox } from "../../../src/index.ts";
import { closeFd, inNetns, openNetns } from "../../../src/kernel/index.ts";
import { needsKernel } from "../../needs-kernel.ts";
import { type TestNetns, withNetns } from "../../netns-fixture.ts";
import { Agent, agentCommand, agentProcessOf } from "../agent.ts";
import { addressesOf } from "../sandbox-addresses.ts";
import { linksIn } from "../test-host.ts";
import { type Place, surprises } from "./reached.ts";
import { bringUp, linkState } from "./wire.ts";

needsKernel("802.1Q", "ipvlan");

const hostNames = ["h1", "h2", "h3"] as const;
const vlans = [10, 20] as const;

/** Three hosts with weft on them, and machines of others, on the ports of one switch that carries all VLANs. */
interface Site {
  readonly hosts: readonly { readonly netns: TestNetns; readonly controller: Controller }[];
  /** A machine of each VLAN that has nothing to do with weft. */
  readonly others: Readonly<Record<(typeof vlans)[number], TestNetns>>;
  /** Starts an agent; it ends with the test. */
  agentIn(netns: TestNetns | Sandbox): Promise<Agent>;
}

async function withSite(work: (site: Site) => Promise<void>): Promise<void> {
  await withNetns(["switch", ...hostNames, "o10", "o20"], async (all) => {
    const folder = mkdtempSync(join(realpathSync(tmpdir()), "weft-site-"));
    const controllers: Controller[] = [];
    const agents: Agent[] = [];
    all.switch.exec("ip", "link", "add", "sw", "type", "bridge", "mcast_snooping", "0");
    all.switch.exec("ip", "link", "set", "sw", "up");
    for (const name of [...hostNames, "o10", "o20"] as const) {
      const far = ["peer", "name", name, "netns", all.switch.path];
      all[name].exec("ip", "link", "add", "eth0", "type", "veth", ...far);
      all[name].exec("ip", "link", "set", "eth0", "up");
      all.switch.exec("ip", "link", "set", name, "master", "sw", "up");
    }
    for (const vlan of vlans) {
      const other = all[`o${vlan}`];
      other.exec("ip", "link", "add", "link", "eth0", "name", "tagged", "type", "vlan", "id", String(vlan));
      bringUp(other, "tagged", { ipv4: `10.0.${vlan}.250`, ipv6: `fd00:${vlan}::250` });
    }
    try {
      for (const name of hostNames)
        controllers.push(
          await Controller.open({ root: join(folder, name), hostNetns: all[name].path, selfRepair: false }),
        );
      const hosts = hostNames.flatMap((name, i) => {
        const controller = controllers[i];
        return controller === undefined ? [] : [{ netns: all[name], controller }];
      });
      await work({
        hosts,
        others: { 10: all.o10, 20: all.o20 },
        agentIn: async (where) => {
          const agent = await startAgent("path" in where ? where.path : where.key);
          agents.push(agent);
          return agent;
        },
      });
    } finally {
      await runAll("end of the site", [
        ...agents.map((agent) => () => agent.end()),
        ...controllers.map((controller) => () => controller.purge()),
        () => rmSync(folder, { recursive: true, force: true }),
      ]);
    }
    for (const name of hostNames) assert.deepEqual(linksIn(all[name]), ["eth0", "lo"]);
    for (const name of hostNames) assert.equal(linkState(all[name], "eth0").promiscuity, 0);
  });
}

async function startAgent(netnsPath: string): Promise<Agent> {
  const [program = "", ...args] = agentCommand;
  const fd = openNetns(netnsPath);
  try {
    const child = inNetns(fd, () => spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] }));
    return await Agent.start(agentProcessOf(child));
  } finally {
    closeFd(fd);
  }
}

/** The part of a VLAN's subnets that a host gives out. */
function subnetsOf(vlan: number, host: number) {
  return [
    { subnet: `10.0.${vlan}.0/24`, ipRange: `10.0.${vlan}.${host * 32}/27` },
    { subnet: `fd00:${vlan}::/64`, ipRange: `fd00:${vlan}::${host}:0/112` },
  ];
}

const drivers: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["macvlan", { macvlan_mode: "bridge" }],
  ["ipvlan", { ipvlan_mode: "l2" }],
];

suite("VLANs", () => {
  for (const [driver, mode] of drivers)
    test(`${driver} sandboxes on three hosts, and machines of others, reach each other on the same VLAN only`, () =>
      withSite(async ({ hosts, others, agentIn }) => {
        const places: Record<string, Place> = {};
        const vlanOf = new Map<string, number>();
        for (const vlan of vlans) {
          const addresses = { ipv4: `10.0.${vlan}.250`, ipv6: `fd00:${vlan}::250` };
          places[`other ${vlan}`] = { agent: await agentIn(others[vlan]), addresses };
          vlanOf.set(`other ${vlan}`, vlan);
          for (const [i, { controller }] of hosts.entries()) {
            const options = { parent: `eth0.${vlan}`, ...mode };
            const ipam = { subnets: subnetsOf(vlan, i + 1) };
            const network = await controller.createNetwork(driver, `v${vlan}`, { ipv6: true, ipam, options });
            const sandbox = await controller.createSandbox(`c${vlan}`, { endpoints: [{ network }] });
            const name = `${vlan} on host ${i}`;
            places[name] = { agent: await agentIn(sandbox), addresses: await addressesOf(sandbox) };
            vlanOf.set(name, vlan);
            // A way to the other VLAN, had the wire one: its frames must not arrive there.
            for (const other of vlans) if (other !== vlan) await addOnLinkRoutes(sandbox, other);
          }
        }
        const names = Object.keys(places);
        const lines = names.flatMap((from) =>
          names.flatMap((to) =>
            from === to || (from.startsWith("other") && vlanOf.get(from) !== vlanOf.get(to))
              ? []
              : [[from, to, vlanOf.get(from) === vlanOf.get(to)] as const],
          ),
        );
        assert.ok(lines.some(([, , reached]) => !reached));
        assert.deepEqual(await surprises(places, lines), []);
        for (const { netns } of hosts) assert.deepEqual(linksIn(netns), ["eth0", "eth0.10", "eth0.20", "lo"]);
      }));

  test("a VLAN sub-interface that weft made is not the host's own: it has no addresses and hears no routers", () =>
    withSite(async ({ hosts: [host] }) => {
      assert.ok(host);
      await host.controller.createNetwork("macvlan", "v10", { options: { parent: "eth0.10" } });
      assert.equal(
        host.netns.exec("ip", "address", "show", "dev", "eth0.10", "scope", "link").includes("inet"),
        false,
      );
      assert.equal(
        host.netns.run(() => host.netns.exec("cat", "/proc/sys/net/ipv6/conf/eth0.10/disable_ipv6")).trim(),
        "1",
      );
    }));

  test("a trunk's new MTU is given to its VLAN sub-interfaces and their sandboxes by a repair", () =>
    withSite(async ({ hosts: [host] }) => {
      assert.ok(host);
      const { controller, netns } = host;
      for (const vlan of vlans) {
        const network = await controller.createNetwork("macvlan", `v${vlan}`, {
          options: { parent: `eth0.${vlan}` },
        });
        await controller.createSandbox(`c${vlan}`, { endpoints: [{ network }] });
      }
      netns.exec("ip", "link", "set", "eth0", "mtu", "9000");
      const changed = (await controller.drift()).map(({ drift }) => drift);
      assert.deepEqual(changed, ["changed", "changed", "changed", "changed"]);
      assert.deepEqual(await controller.repair(), []);
      assert.deepEqual(await controller.drift(), []);
      for (const vlan of vlans) assert.equal(linkState(netns, `eth0.${vlan}`).mtu, 9000);
    }));
});

async function addOnLinkRoutes(sandbox: Sandbox, vlan: number): Promise<void> {
  const fd = openNetns(sandbox.key);
  try {
    for (const subnet of [`10.0.${vlan}.0/24`, `fd00:${vlan}::/64`]) {
      const child = inNetns(fd, () =>
        spawn("ip", ["route", "add", subnet, "dev", "eth0"], { stdio: "inherit" }),
      );
      await new Promise<void>((resolve) => child.once("exit", () => resolve()));
      assert.equal(child.exitCode, 0);
    }
  } finally {
    closeFd(fd);
  }
}
