import { isSent, isTracers, type Passage, sameAddresses } from "./journey.ts";
import { isDropped, type PacketHeaders } from "./trace-lines.ts";
import type { HookVisit } from "./tracer.ts";

/** How the page calls what has another name at each run. */
export interface StableNames {
  /** By a link's name. */
  readonly links: ReadonlyMap<string, string>;
  /** The ports that are not chosen by chance. */
  readonly ports: ReadonlySet<number>;
}

/** A line of a table of hops. */
interface Hop {
  readonly place: string;
  readonly link: string;
  readonly hook: string;
  readonly chain: string;
  /** What decides, as Markdown. */
  readonly decides: string;
  /** The packet from here on, where it is new or rewritten here. */
  readonly packet?: PacketHeaders;
}

/** A packet's way as a Markdown table. */
export function hopTable(journey: readonly Passage[], names: StableNames): string {
  const lines = journey.flatMap((passage) => {
    const hops = hopsOf(passage);
    return hops.map((hop, index) => lineOf(hop, names, index === 0));
  });
  return [
    "| where | interface | hook | chain | what decides | the packet from here on |",
    "| --- | --- | --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}

function lineOf({ place, link, hook, chain, decides, packet }: Hop, names: StableNames, first: boolean) {
  const cells = [
    first ? `**${place}**` : "",
    link.replace(/\S+/g, (word) => names.links.get(word) ?? word),
    hook,
    chain,
    decides,
    packet === undefined ? "" : formatPacket(packet, names.ports),
  ];
  return `| ${cells.join(" | ")} |`;
}

function formatPacket(packet: PacketHeaders, ports: ReadonlySet<number>): string {
  const end = (address: string, port: number) => {
    const known = ports.has(port) ? String(port) : "any";
    return address.includes(":") ? `[${address}]:${known}` : `${address}:${known}`;
  };
  return `${end(packet.source, packet.sourcePort)} → ${end(packet.destination, packet.destinationPort)}`;
}

function hopsOf(passage: Passage): readonly Hop[] {
  const { place, visits } = passage;
  const hops: Hop[] = [];
  visits.forEach((visit, index) => {
    const hop = hopOf(place, visit, index === 0 && isSent(passage));
    const after = visits[index + 1];
    const rewritten = after === undefined || sameAddresses(visit.packet, after.packet) ? undefined : after;
    if (hop !== undefined) {
      const own = hops.length === 0 ? visit.packet : undefined;
      const packet = (isNat(visit) ? rewritten?.packet : undefined) ?? own;
      hops.push(packet === undefined ? hop : { ...hop, packet });
    }
    if (rewritten !== undefined && !isNat(visit)) hops.push(translatedBack(place, rewritten));
  });
  return hops;
}

/** Chains of type nat see a connection's first packet only; connection tracking does the same for all others. */
function translatedBack(place: string, visit: HookVisit): Hop {
  const decides = "connection tracking translates the answer back";
  return { place, link: linkOf(visit), hook: visit.hook, chain: "", decides, packet: visit.packet };
}

function isNat(visit: HookVisit): boolean {
  return visit.type === "nat";
}

/** The tracer's own chains tell only where a packet begins, ends, or stays on a bridge. */
function hopOf(place: string, visit: HookVisit, sent: boolean): Hop | undefined {
  const { iif, oif } = visit.packet;
  const { family, hook } = visit;
  if (!isTracers(visit)) return { place, link: linkOf(visit), hook, ...decision(visit) };
  if (sent) return { place, link: oif, hook, chain: "", decides: "a program sends" };
  if (family === "bridge")
    return {
      place,
      link: `${iif} → ${oif}`,
      hook: "bridge forward",
      chain: "",
      decides: "the bridge passes it on",
    };
  if (hook !== "input") return undefined;
  return { place, link: iif, hook, chain: "", decides: "a program receives", packet: visit.packet };
}

function linkOf({ hook, packet: { iif, oif } }: HookVisit): string {
  if (hook === "prerouting" || hook === "input") return iif;
  return hook === "forward" ? `${iif} → ${oif}` : oif;
}

/** The rules that the packet matched, without those that only lead to another chain. */
function decision(visit: HookVisit): Pick<Hop, "chain" | "decides"> {
  const { family, table, chain, matched, policy } = visit;
  const telling = matched.filter(({ verdict }) => !/^(jump|goto) /.test(verdict));
  const chains = [...new Set([chain, ...telling.map((one) => one.chain)])].join(" → ");
  const own = table === "weft" && family !== "bridge" ? chains : `${chains} (table ${family} ${table})`;
  const rules = telling.map(({ rule }) => `\`${withoutCounts(rule).replaceAll("|", "\\|")}\``);
  if (policy !== undefined) rules.push(`${rules.length > 0 ? "no other" : "no"} rule, policy ${policy}`);
  return { chain: own, decides: `${rules.join("<br>")}${isDropped(visit) ? ": **dropped**" : ""}` };
}

/** A counter's numbers are those from before. */
function withoutCounts(rule: string): string {
  return rule.replace(/ packets \d+ bytes \d+/, "");
}
