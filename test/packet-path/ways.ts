import { until } from "../e2e/until.ts";
import { farAddresses, hostAddresses, outsideAddresses } from "../e2e/uplink.ts";
import { runProgram } from "../peers/programs.ts";
import { queryFor } from "./name-messages.ts";
import { type Stage, serverPort } from "./stage.ts";
import type { Way } from "./way.ts";

const [web, old, plain] = ["10.1.0.2", "10.2.0.2", "10.4.0.2"];
/** The ports of the host that lead to web, which has both families, and to old, which has only IPv4. */
const [webPort, oldPort] = [8080, 8081];
const resolver = ["127.0.0.11", 53] as const;

const inSandbox: Pick<Way, "to" | "ends" | "from"> = {
  from: "shop",
  to: [web, serverPort],
  ends: "answered",
};
const fromNeighbour: Pick<Way, "to" | "ends" | "from"> = {
  from: "neighbour",
  to: [hostAddresses.ipv4, webPort],
  ends: "answered",
};

/** A firewall that lets nothing through, as many set `FORWARD`. */
async function addFirewall({ host: { netns } }: Stage): Promise<void> {
  netns.exec("nft", "add table ip filter");
  netns.exec("nft", "add chain ip filter FORWARD { type filter hook forward priority filter; policy drop; }");
  await until("weft has put its rule there", () =>
    netns.exec("nft", "list table ip filter").includes("accept"),
  );
}

/** A rule that somebody wrote into the chain that is the users' own. */
async function addUsersRule({ host: { netns } }: Stage): Promise<void> {
  await runProgram(netns.path, "nft", [
    "add",
    "rule",
    "inet",
    "weft",
    "user",
    "ip",
    "saddr",
    outsideAddresses.ipv4,
    "drop",
  ]);
}

/** The second neighbour's wire becomes a port of the bridge lan0: it has an address there, and asks by it. */
async function plumb({ host: { netns, far } }: Stage): Promise<void> {
  netns.exec("ip", "link", "add", "up2", "type", "veth", "peer", "name", "wire2", "netns", far.path);
  far.exec("ip", "address", "add", "10.5.0.9/24", "dev", "wire2");
  far.exec("ip", "link", "set", "wire2", "up");
  far.exec("ip", "route", "replace", `${outsideAddresses.ipv4}/32`, "via", "10.5.0.1");
  netns.exec("ip", "link", "set", "up2", "master", "lan0", "up");
  await until("weft has seen the port", () => netns.exec("nft", "list", "tables").includes("bridge weft"));
}

/** The ways that docs/packet-path.md shows, in the order in which they are gone. */
export const ways = {
  "same bridge": { ...inSandbox, bridgeNetfilter: false },
  "same bridge, br_netfilter": inSandbox,
  "other network": { from: "shop", to: [old, serverPort], ends: "dropped" },
  "way out": { from: "shop", to: [outsideAddresses.ipv4, serverPort], ends: "answered" },
  "published port": fromNeighbour,
  "published port, IPv6": { ...fromNeighbour, to: [hostAddresses.ipv6, webPort] },
  "published port, proxy": { ...fromNeighbour, to: [hostAddresses.ipv6, oldPort] },
  "host, own address": { from: "host", to: [hostAddresses.ipv4, webPort], ends: "answered" },
  "host, 127.0.0.1": { from: "host", to: ["127.0.0.1", webPort], ends: "answered" },
  "host, ::1": { from: "host", to: ["::1", webPort], ends: "answered" },
  "own published port": { from: "web", to: [hostAddresses.ipv4, webPort], ends: "answered" },
  "published port, other network": { from: "old", to: [hostAddresses.ipv4, webPort], ends: "answered" },
  "into a subnet": { ...fromNeighbour, to: [web, serverPort], ends: "dropped" },
  "routed network": { ...fromNeighbour, to: [plain, serverPort] },
  "internal, way out": { from: "vault", to: [outsideAddresses.ipv4, serverPort], ends: "dropped" },
  "internal, published port": { from: "vault", to: ["10.3.0.1", webPort], ends: "dropped" },
  "own name": { from: "shop", to: resolver, message: queryFor("web"), ends: "answered" },
  "other name": { from: "shop", to: resolver, message: queryFor("www.example.org"), ends: "answered" },
  foreign: { from: "neighbour", to: [farAddresses.ipv4, serverPort], ends: "dropped" },
  "from the LAN": { from: "far", to: ["10.5.0.2", serverPort], ends: "answered", before: plumb },
  "past the LAN": { from: "far", to: [outsideAddresses.ipv4, serverPort], ends: "dropped" },
  "other firewall": { ...fromNeighbour, before: addFirewall },
  "user's rule": { ...fromNeighbour, ends: "dropped", before: addUsersRule },
} as const satisfies Readonly<Record<string, Way>>;
