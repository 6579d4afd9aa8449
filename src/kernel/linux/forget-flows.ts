import type { IpAddress } from "../../core/index.ts";
import type { ForgetFlowsEffect } from "../effects.ts";
import {
  countFlows,
  deleteFlows,
  type Flow,
  type FlowFilter,
  type FlowHints,
  listFlowsSlowly,
} from "../netlink/conntrack/index.ts";
import type { Session } from "./session.ts";

/** What an effect can tell flows by. */
type Part = "protocol" | "originalSource" | "originalAddress" | "originalPort" | "replySource";
const parts: readonly Part[] = [
  "protocol",
  "originalSource",
  "originalAddress",
  "originalPort",
  "replySource",
];

/**
 * Forgets the flows that match any of the effects, which are all of one namespace and family: one dump,
 * narrowed by what all of them have in common, and one look at each flow, however many effects there
 * are; few flows get more than a glance. Rejects with KernelError.
 */
export async function forgetFlows(session: Session, effects: readonly ForgetFlowsEffect[]): Promise<void> {
  const [first] = effects;
  if (first === undefined) return;
  const socket = session.netfilter(first.netns);
  if (countFlows(socket) === 0) return;
  const found = await listFlowsSlowly(socket, inCommon(first, effects), hintsOf(effects));
  deleteFlows(socket, found.filter(matcher(effects)));
}

/** The narrowest filter that is true of every flow of every effect. */
function inCommon(first: ForgetFlowsEffect, effects: readonly ForgetFlowsEffect[]): FlowFilter {
  const common = <P extends Part>(part: P): ForgetFlowsEffect[P] =>
    effects.every((effect) => effect[part] === first[part]) ? first[part] : undefined;
  return {
    family: first.family,
    protocol: common("protocol"),
    original: {
      source: common("originalSource"),
      destination: common("originalAddress"),
      destinationPort: common("originalPort"),
    },
    reply: { source: common("replySource") },
  };
}

/** What every flow of the effects has one of; undefined when an effect gives nothing to tell its flows by. */
function hintsOf(effects: readonly ForgetFlowsEffect[]): FlowHints | undefined {
  const addresses = new Set<IpAddress>();
  const ports = new Set<number>();
  for (const { originalSource, originalAddress, replySource, originalPort } of effects) {
    const address = originalSource ?? originalAddress ?? replySource;
    if (address !== undefined) addresses.add(address);
    else if (originalPort !== undefined) ports.add(originalPort);
    else return undefined;
  }
  return { addresses, ports };
}

/** Effects that give the same parts are one set of texts, so that a flow is looked up and not compared with each. */
function matcher(effects: readonly ForgetFlowsEffect[]): (flow: Flow) => boolean {
  const byShape = new Map<string, { readonly given: readonly Part[]; readonly keys: Set<string> }>();
  for (const effect of effects) {
    const given = parts.filter((part) => effect[part] !== undefined);
    const shape = byShape.get(given.join()) ?? { given, keys: new Set<string>() };
    byShape.set(given.join(), shape);
    shape.keys.add(given.map((part) => effect[part]).join());
  }
  const shapes = [...byShape.values()];
  return (flow) => shapes.some(({ given, keys }) => keys.has(given.map((part) => partOf(flow, part)).join()));
}

function partOf({ original, reply }: Flow, part: Part): string | number | undefined {
  switch (part) {
    case "protocol":
      return original.protocol;
    case "originalSource":
      return original.source;
    case "originalAddress":
      return original.destination;
    case "originalPort":
      return original.destinationPort;
    case "replySource":
      return reply.source;
  }
}
