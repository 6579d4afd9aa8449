import { withNetns } from "../../test/netns-fixture.ts";
import { findProgram, ownNetns, runProgram } from "../../test/peers/programs.ts";
import { networkRows, portRows } from "./control-rows.ts";
import { dockerPeer } from "./docker-peer.ts";
import { type LanNamespaces, lanAddresses, lanNames, layLan } from "./lan.ts";
import type { Hosts } from "./peer.ts";
import type { BesideRow } from "./row.ts";
import { Traffic } from "./traffic-rows.ts";
import { weftPeer } from "./weft-peer.ts";

/** What can be measured beside others. */
export const besideParts = ["networks", "ports", "streams", "requests"] as const;

/** One of them. */
export type BesidePart = (typeof besideParts)[number];

/** Everything that was measured beside others in one run. */
export interface BesideFigures {
  /** Who was measured, in the versions' own words. */
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly BesideRow[];
}

/** Measures weft and dockerd in turn, each on a host of its own (a namespace) on one lan. */
export async function beside(parts: ReadonlySet<string>, rounds: number): Promise<BesideFigures> {
  for (const program of ["ip", "dockerd", "iperf3", "wrk"]) findProgram(program); // before the minutes that it takes
  return withNetns(lanNames, async (namespaces) => {
    layLan(namespaces);
    const docker = await dockerPeer(namespaces.docker.path);
    try {
      const weft = await weftPeer(namespaces.weft.path);
      try {
        const client = namespaces.client.path;
        const hosts: Hosts = new Map([
          ["weft", { peer: weft, path: { client, address: lanAddresses.weft } }],
          ["dockerd", { peer: docker, path: { client, address: lanAddresses.docker } }],
        ]);
        return { versions: await versionsOf(hosts), rows: await rowsOf(parts, rounds, hosts, namespaces) };
      } finally {
        await weft.close();
      }
    } finally {
      await docker.close();
    }
  });
}

async function versionsOf(hosts: Hosts): Promise<Readonly<Record<string, string>>> {
  const peers = [...hosts.values()].map(({ peer }) => [peer.name, peer.version]);
  return { ...Object.fromEntries(peers), kernel: (await runProgram(ownNetns, "uname", ["-r"])).trim() };
}

async function rowsOf(
  parts: ReadonlySet<string>,
  rounds: number,
  hosts: Hosts,
  namespaces: LanNamespaces,
): Promise<readonly BesideRow[]> {
  const rows: BesideRow[] = [];
  // These take so little time that more of them are worth it.
  if (parts.has("networks")) rows.push(...(await networkRows(hosts, rounds * 4)));
  if (parts.has("ports")) rows.push(...(await portRows(hosts, rounds)));
  if (!parts.has("streams") && !parts.has("requests")) return rows;
  const traffic = new Traffic();
  try {
    await traffic.addKernel(namespaces);
    for (const [who, host] of hosts) await traffic.addHost(who, host);
    if (parts.has("streams")) rows.push(...(await traffic.streamRows(rounds)));
    if (parts.has("requests")) rows.push(...(await traffic.requestRows(rounds)));
  } finally {
    await traffic.close();
  }
  return rows;
}
