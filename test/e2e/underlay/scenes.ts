import assert from "node:assert/strict";
import type { Network, NetworkOptions, Sandbox } from "../../../src/index.ts";
import { advertiseRouter } from "../router-advertisement.ts";
import { addressesOf } from "../sandbox-addresses.ts";
import { lines, type TestHost } from "../test-host.ts";
import { until } from "../until.ts";
import { setSysctl } from "../uplink.ts";
import { surprises } from "./reached.ts";
import { linkState, outsideAddresses, subnets, switchLink } from "./wire.ts";

/** Makes a network of the kind that a scene is played with. */
export type Create = (options?: NetworkOptions) => Promise<Network>;

/** A sandbox takes no address that the machine outside has: neither one that is asked for nor the next one that is free. */
export async function takesNoHeldAddress(host: TestHost, create: Create): Promise<void> {
  const { controller, outside } = host;
  const network = await create();
  const mac = linkState(outside, switchLink).address;
  for (const address of ["192.0.2.200", "192.0.2.128", "2001:db8::8200"])
    outside.exec(
      "ip",
      "address",
      "add",
      address,
      "dev",
      switchLink,
      ...(address.includes(":") ? ["nodad"] : []),
    );
  const sandbox = await controller.createSandbox("a");
  for (const asked of [{ ipv4Address: "192.0.2.200" }, { ipv6Address: "2001:db8::8200" }]) {
    const [address] = Object.values(asked);
    await assert.rejects(sandbox.connect(network, asked), {
      code: "ADDRESS_CONFLICT",
      message: new RegExp(`^address ${address} is held by ${mac} on `),
    });
    assert.deepEqual(network.endpoints(), []);
  }
  await sandbox.connect(network);
  const { ipv4 } = await addressesOf(sandbox);
  assert.notEqual(ipv4, "192.0.2.128");
  const agent = await host.agent(sandbox);
  await host.agent(outside);
  assert.equal(await agent.reach(outsideAddresses.ipv4), ipv4);
  // Sandboxes of one network ask each other too, and what one of them has is known without asking.
  await assert.rejects(controller.createSandbox("b", { endpoints: [{ network, ipv4Address: ipv4 }] }), {
    code: "ADDRESS_IN_USE",
  });
}

/** A sandbox whose network has no gateway of IPv6 takes its way out from a router outside, and no address. */
export async function takesAdvertisedWayOut(host: TestHost, create: Create): Promise<void> {
  const beyond = "2001:db8:f::2";
  host.outside.exec("ip", "address", "add", `${beyond}/128`, "dev", "lo");
  // Else its own neighbour advertisements say that it is no router.
  setSysctl(host.outside, "net/ipv6/conf/all/forwarding", "1");
  const network = await create();
  const sandbox = await host.controller.createSandbox("a", { endpoints: [{ network }] });
  await until("the sandbox hears routers", async () =>
    (await routesIn(host, sandbox)).some((one) => one.startsWith("multicast")),
  );
  await until("it has a way out", async () => {
    advertiseRouter(host.outside, switchLink, { prefix: "2001:db8:77::" });
    return (await routesIn(host, sandbox)).some((one) => /^default .*proto ra metric 2048/.test(one));
  });
  await host.agent(host.outside);
  await (await host.agent(sandbox)).reach(beyond);
  const addresses = await host.output(sandbox, "ip", "-6", "address", "show", "dev", "eth0");
  assert.ok(!addresses.includes("2001:db8:77"), addresses);
}

/** Sandboxes of a network without IPv4 reach each other and the machine outside by IPv6, and have no IPv4 at all. */
export async function hasIpv6Alone(host: TestHost, create: Create): Promise<void> {
  const ipam = { subnets: subnets.filter(({ subnet }) => subnet?.includes(":")) };
  const network = await create({ ipv4: false, ipam });
  const place = async (name: string) => {
    const sandbox = await host.controller.createSandbox(name, { endpoints: [{ network }] });
    return { sandbox, agent: await host.agent(sandbox), addresses: await addressesOf(sandbox) };
  };
  const places = {
    a: await place("a"),
    b: await place("b"),
    outside: { agent: await host.agent(host.outside), addresses: outsideAddresses },
  };
  const all = ["a", "b", "outside"] as const;
  const ways = all.flatMap((from) => all.filter((to) => to !== from).map((to) => [from, to, true] as const));
  assert.deepEqual(await surprises(places, ways, ["ipv6"]), []);
  assert.equal(await host.output(places.a.sandbox, "ip", "-4", "address", "show", "dev", "eth0"), "");
}

/** All IPv6 routes of a sandbox. */
export async function routesIn(host: TestHost, sandbox: Sandbox): Promise<readonly string[]> {
  return lines(await host.output(sandbox, "ip", "-6", "route", "show", "table", "all"));
}
