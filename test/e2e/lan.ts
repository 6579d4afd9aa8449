import { bridgeOption } from "../../src/drivers/index.ts";
import type { NetworkOptions } from "../../src/index.ts";
import { type TestNetns, withNetns } from "../netns-fixture.ts";
import type { PlainAddresses } from "./sandbox-addresses.ts";
import { type TestHost, withHost } from "./test-host.ts";
import { until } from "./until.ts";
import { hasLinkLocal, setSysctl } from "./uplink.ts";

/** The reference's use case: three hosts, whose sandboxes live on one LAN with a machine and a router. */
export interface Lan {
  readonly hosts: readonly [TestHost, TestHost, TestHost];
  /** A machine on the LAN. */
  readonly machine: TestNetns;
  /** The way from the LAN to the internet; it translates nothing. */
  readonly router: TestNetns;
  /** A machine beyond the router. */
  readonly internet: TestNetns;
  /** The LAN's switch: a bridge `sw0` with a port for each of them. */
  readonly wires: TestNetns;
  /** Those ports of it that lead to the hosts. */
  readonly hostPorts: readonly string[];
}

/** The link of each host to the LAN; without addresses, and up. */
export const uplink = "up2";

export const machineAddresses: PlainAddresses = { ipv4: "192.168.57.50", ipv6: "fd57::50" };
export const routerAddresses: PlainAddresses = { ipv4: "192.168.57.1", ipv6: "fd57::1" };
export const internetAddresses: PlainAddresses = { ipv4: "203.0.113.2", ipv6: "2001:db8:57::2" };

/** The addresses on the LAN of the host of that number, 0 to 2. */
export function lanAddressesOf(host: number): PlainAddresses {
  return { ipv4: `192.168.57.${11 + host}`, ipv6: `fd57::${11 + host}` };
}

/** How the reference has a network of the host of that number made. */
export function lanNetwork(host: number, options: Readonly<Record<string, string>> = {}): NetworkOptions {
  const { ipv4, ipv6 } = lanAddressesOf(host);
  return {
    ipv6: true,
    options: { [bridgeOption.name]: "brnet", ...options },
    ipam: {
      subnets: [
        {
          subnet: "192.168.57.0/24",
          ipRange: `192.168.57.${32 + 16 * host}/28`,
          gateway: ipv4,
          auxAddresses: { DefaultGatewayIPv4: routerAddresses.ipv4 },
        },
        {
          subnet: "fd57::/64",
          ipRange: `fd57::${host + 1}:0/112`,
          gateway: ipv6,
          auxAddresses: { DefaultGatewayIPv6: routerAddresses.ipv6 },
        },
      ],
    },
  };
}

/** Runs `work` with three hosts on a LAN. */
export async function withLan(work: (lan: Lan) => Promise<void>): Promise<void> {
  await withNetns(["wires", "machine", "router", "internet"], async (others) => {
    const { wires, machine, router, internet } = others;
    for (const one of Object.values(others)) one.exec("ip", "link", "set", "lo", "up");
    wires.exec("ip", "link", "add", "sw0", "type", "bridge");
    wires.exec("ip", "link", "set", "sw0", "up");
    plug(wires, machine, "eth0", machineAddresses);
    plug(wires, router, "eth0", routerAddresses);
    join(router, internet);
    for (const key of ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"]) setSysctl(router, key, "1");
    machine.exec("ip", "route", "add", "default", "via", routerAddresses.ipv4);
    machine.exec("ip", "route", "add", "default", "via", routerAddresses.ipv6);
    await until("the router's wires are up", () =>
      ["eth0", "eth1"].every((one) => hasLinkLocal(router, one)),
    );
    const opened = { selfRepair: true };
    await withHost(
      (first) =>
        withHost(
          (second) =>
            withHost(async (third) => {
              const hosts = [first, second, third] as const;
              const hostPorts = hosts.map(({ netns }) => plug(wires, netns, uplink));
              await work({ hosts, wires, hostPorts, machine, router, internet });
            }, opened),
          opened,
        ),
      opened,
    );
  });
}

let plugged = 0;

/** A wire from the switch to a link of `where`, which gets the addresses if there are any. Gives the port's name. */
export function plug(wires: TestNetns, where: TestNetns, link: string, addresses?: PlainAddresses): string {
  const port = `port${++plugged}`;
  wires.exec("ip", "link", "add", port, "type", "veth", "peer", "name", link, "netns", where.path);
  wires.exec("ip", "link", "set", port, "master", "sw0", "up");
  if (addresses === undefined) where.exec("ip", "link", "set", link, "up");
  else address(where, link, addresses);
  return port;
}

function join(router: TestNetns, internet: TestNetns): void {
  router.exec("ip", "link", "add", "eth1", "type", "veth", "peer", "name", "eth0", "netns", internet.path);
  address(router, "eth1", { ipv4: "203.0.113.1", ipv6: "2001:db8:57::1" });
  address(internet, "eth0", internetAddresses);
  internet.exec("ip", "route", "add", "default", "via", "203.0.113.1");
  internet.exec("ip", "route", "add", "default", "via", "2001:db8:57::1");
}

function address(where: TestNetns, link: string, { ipv4, ipv6 }: PlainAddresses): void {
  setSysctl(where, `net/ipv6/conf/${link}/accept_dad`, "0");
  where.exec("ip", "address", "add", `${ipv4}/24`, "dev", link);
  where.exec("ip", "address", "add", `${ipv6}/64`, "dev", link, "nodad");
  where.exec("ip", "link", "set", link, "up");
}
