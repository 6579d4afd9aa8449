import { readFileSync } from "node:fs";
import path from "node:path";
import { withHost } from "../e2e/test-host.ts";
import { repositoryFolder } from "../fixture-file.ts";
import { runProgram } from "../peers/programs.ts";
import { chainsFirst } from "./rule-set.ts";
import { buildStage, type Stage, strike } from "./stage.ts";
import { traceWays } from "./way.ts";
import { ways } from "./ways.ts";

/** What the page's template calls for: `<!-- rules -->`, `<!-- way same bridge -->`. */
const call = /<!-- (.*?) -->/g;

/**
 * docs/packet-path.md: its template with what a host of its own shows, live. Throws when a packet does not
 * fare as it is to, and when the template calls for what there is not, or leaves something out.
 */
export async function packetPathPage(): Promise<string> {
  const template = readFileSync(path.join(repositoryFolder(), "test/packet-path/template.md"), "utf8");
  const parts = await liveParts();
  const called = new Set<string>();
  const page = template.replace(call, (_call, name: string) => {
    const part = parts.get(name);
    if (part === undefined || called.has(name))
      throw new Error(`test/packet-path/template.md: no other ${name}`);
    called.add(name);
    return part;
  });
  const missing = [...parts.keys()].filter((name) => !called.has(name));
  if (missing.length > 0) throw new Error(`test/packet-path/template.md has no ${missing.join(", no ")}`);
  return page;
}

async function liveParts(): Promise<ReadonlyMap<string, string>> {
  const parts = new Map<string, string>();
  await withHost(
    async (host) => {
      const stage = await buildStage(host);
      try {
        await addRules(parts, stage);
        for (const [name, table] of await traceWays(stage, ways)) parts.set(`way ${name}`, table);
        parts.set("sandboxes' table", await listed(host.netns.path, "bridge", "weft"));
        parts.set("firewall", await listed(host.netns.path, "ip", "filter"));
        host.netns.exec("nft", "delete table ip filter");
      } finally {
        await strike(stage);
      }
    },
    { selfRepair: true },
  );
  return parts;
}

async function addRules(parts: Map<string, string>, { places }: Stage): Promise<void> {
  parts.set("nft", (await runProgram("/proc/self/ns/net", "nft", ["--version"])).trim());
  for (const [name, place, family] of [
    ["rules", "host", "inet"],
    ["resolver's rules", "web", "ip"],
  ] as const)
    parts.set(name, await listed(places.get(place)?.path ?? "", family, "weft"));
}

async function listed(netns: string, family: string, table: string): Promise<string> {
  const text = await runProgram(netns, "nft", ["--stateless", "list", "table", family, table]);
  return `\`\`\`\n${chainsFirst(text)}\n\`\`\``;
}
