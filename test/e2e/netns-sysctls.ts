import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestNetns } from "../netns-fixture.ts";

/** Each link's folders below /proc/sys/net. */
const linkFolders = ["ipv4/conf", "ipv6/conf"] as const;

/** All sysctls of a namespace that have to do with links, forwarding and bridges, by their paths below /proc/sys/net. */
export function netnsSysctls(netns: TestNetns): Readonly<Record<string, string>> {
  return netns.run(() => {
    const values: Record<string, string> = { "ipv4/ip_forward": read("ipv4/ip_forward") };
    for (const folder of linkFolders)
      for (const link of readdirSync(join("/proc/sys/net", folder))) readAll(join(folder, link), values);
    // There with br_netfilter alone.
    if (existsSync("/proc/sys/net/bridge")) readAll("bridge", values);
    return values;
  });
}

function readAll(folder: string, values: Record<string, string>): void {
  for (const name of readdirSync(join("/proc/sys/net", folder)))
    if (name !== "stable_secret") values[join(folder, name)] = read(join(folder, name)); // unset, it cannot be read
}

function read(path: string): string {
  return readFileSync(join("/proc/sys/net", path), "utf8").trim();
}
