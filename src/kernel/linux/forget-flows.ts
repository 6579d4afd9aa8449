import type { ForgetFlowsEffect } from "../effects.ts";
import {
  countFlows,
  deleteFlows,
  type Flow,
  type FlowFilter,
  listFlowsSlowly,
} from "../netlink/conntrack/index.ts";
import type { Session } from "./session.ts";

/** What an effect can tell flows by. */
type Part = "protocol" | "originalAddress" | "originalPort" | "replySource";
const parts: readonly Part[] = ["protocol", "originalAddress", "originalPort", "replySource"];

/**
 * Forgets the flows that match any of the effects, which are all of one namespace and family: one dump,
 * narrowed by what all of them have in common, and one look at each flow, however many effects there
 * are. Rejects with KernelError.
 */
export async function forgetFlows(session: Session, effects: readonly ForgetFlowsEffect[]): Promise<void> {
  const [first] = effects;
  if (first === undefined) return;
  const socket = session.netfilter(first.netns);
  if (countFlows(socket) === 0) return;
  const found = await listFlowsSlowly(socket, inCommon(first, effects));
  deleteFlows(socket, found.filter(matcher(effects)));
}

/** The narrowest filter that is true of every flow of every effect. */
function inCommon(first: ForgetFlowsEffect, effects: readonly ForgetFlowsEffect[]): FlowFilter {
  const common = <P extends Part>(part: P): ForgetFlowsEffect[P] =>
    effects.every((effect) => effect[part] === first[part]) ? first[part] : undefined;
  return {
    family: first.family,
    protocol: common("protocol"),
    original: { destination: common("originalAddress"), destinationPort: common("originalPort") },
    reply: { source: common("replySource") },
  };
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
    case "originalAddress":
      return original.destination;
    case "originalPort":
      return original.destinationPort;
    case "replySource":
      return reply.source;
  }
}
