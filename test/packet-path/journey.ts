import { isDropped, type PacketHeaders } from "./trace-lines.ts";
import { type HookVisit, tracerTable } from "./tracer.ts";

/** One passage of a packet through a namespace: from where it comes in or is sent to where it leaves or ends. */
export interface Passage {
  readonly place: string;
  readonly visits: readonly HookVisit[];
}

/**
 * Puts what was seen in several namespaces into the order in which it happened. Everything is the
 * consequence of one packet that `from` sends, so each passage follows from the one before it. Throws when
 * something does not.
 */
export function journeyOf(from: string, seen: ReadonlyMap<string, readonly HookVisit[]>): readonly Passage[] {
  const waiting = new Map([...seen].map(([place, visits]) => [place, passagesOf(place, visits)]));
  const journey: Passage[] = [];
  for (;;) {
    const heads = [...waiting.values()].flatMap((passages) => passages.slice(0, 1));
    if (heads.length === 0) return journey;
    const next = journey.length === 0 ? heads.find(({ place }) => place === from) : following(journey, heads);
    if (next === undefined) throw new Error(`nothing leads to ${heads.map(tell).join(" or ")}`);
    waiting.get(next.place)?.shift();
    journey.push(next);
  }
}

/** What comes next: the same packet further on, or what a program sends because of what was received. */
function following(journey: readonly Passage[], heads: readonly Passage[]): Passage | undefined {
  const end = journey.at(-1)?.visits.at(-1);
  if (end !== undefined && end.hook !== "input")
    return heads.find((one) => !isSent(one) && sameAddresses(one.visits[0]?.packet, end.packet));
  const sent = heads.filter(isSent);
  // Whoever asks others before he answers has answered nothing yet; answers come in the opposite order of questions.
  const question = sent.find((one) => answered(journey, one) === undefined);
  return question ?? sent.sort((a, b) => (answered(journey, b) ?? 0) - (answered(journey, a) ?? 0))[0];
}

/** Where in the journey the packet was received that this one answers; undefined when it answers none. */
function answered(journey: readonly Passage[], { place, visits }: Passage): number | undefined {
  const packet = visits[0]?.packet;
  const index = journey.findLastIndex((one) => {
    const received = one.visits.at(-1);
    if (one.place !== place || received?.hook !== "input") return false;
    const { source, sourcePort, destination, destinationPort } = received.packet;
    return (
      packet?.destination === source &&
      packet.destinationPort === sourcePort &&
      packet.source === destination &&
      packet.sourcePort === destinationPort
    );
  });
  return index < 0 ? undefined : index;
}

/** True when a program in the namespace sends it. */
export function isSent({ visits }: Passage): boolean {
  return visits[0]?.hook === "output";
}

/** True for a visit of one of the tracer's own chains. */
export function isTracers({ table }: HookVisit): boolean {
  return table === tracerTable;
}

/** True when nothing of source and destination was rewritten between these. */
export function sameAddresses(a: PacketHeaders | undefined, b: PacketHeaders): boolean {
  return (
    a?.source === b.source &&
    a.sourcePort === b.sourcePort &&
    a.destination === b.destination &&
    a.destinationPort === b.destinationPort
  );
}

function passagesOf(place: string, visits: readonly HookVisit[]): Passage[] {
  const passages: Passage[] = [];
  let open: HookVisit[] = [];
  for (const visit of visits) {
    const { family, hook } = visit;
    const bridged = isTracers(visit) && family === "bridge";
    const alone = bridged && open.length === 0;
    open.push(visit);
    const last = isTracers(visit) && !bridged && (hook === "input" || hook === "postrouting");
    if (!alone && !last && !isDropped(visit)) continue;
    passages.push({ place, visits: open });
    open = [];
  }
  if (open.length > 0) throw new Error(`a packet is lost: ${tell({ place, visits: open })}`);
  return passages;
}

function tell({ place, visits }: Passage): string {
  const [first] = visits;
  return `${place}: ${first?.table} ${first?.chain} ${JSON.stringify(first?.packet)}`;
}
