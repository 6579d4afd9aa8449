/** A packet's headers, as far as a path shows them. */
export interface PacketHeaders {
  /** The interfaces that it came by and leaves by, where the hook knows them. */
  readonly iif: string;
  readonly oif: string;
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  /** What is in it, hexadecimal, as far as nft shows that. */
  readonly payload: string;
}

/** A rule that a packet matched. */
export interface MatchedRule {
  readonly chain: string;
  /** As nft prints it. */
  readonly rule: string;
  /** `accept`, `drop`, `continue`, `jump published`. */
  readonly verdict: string;
}

/** What became of a packet in one base chain, and what it was before. */
export interface ChainVisit {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly packet: PacketHeaders;
  readonly matched: readonly MatchedRule[];
  /** The verdict of the chain's policy, when no rule decided. */
  readonly policy: string | undefined;
}

interface OpenVisit extends ChainVisit {
  readonly matched: MatchedRule[];
  policy: string | undefined;
}

const line = /^trace id (?<id>\w+) (?<family>\w+) (?<table>\S+) (?<chain>\S+) (?<what>\w+):? ?(?<rest>.*)$/;
const ruleAndVerdict = /^(?<rule>.*) \(verdict (?<verdict>[^)]*)\)$/;

/**
 * Reads what `nft monitor trace` prints for UDP, line by line. A base chain begins with the packet; what
 * is said after it under the same id belongs to it. The id of one packet changes on its way.
 */
export class TraceLines {
  readonly #open = new Map<string, OpenVisit>();
  readonly #visits: OpenVisit[] = [];

  /** The visits so far. */
  get visits(): readonly ChainVisit[] {
    return this.#visits;
  }

  /** Takes one line in. Throws on one that it does not know. */
  add(text: string): void {
    const { id = "", family = "", table = "", chain = "", what, rest = "" } = line.exec(text)?.groups ?? {};
    if (what === "packet") {
      const packet = headersOf(rest);
      const visit: OpenVisit = { family, table, chain, packet, matched: [], policy: undefined };
      this.#open.set(id, visit);
      this.#visits.push(visit);
      return;
    }
    // nft does not know rules that came after it began.
    if (what === undefined || what === "unknown") throw new Error(`nft monitor trace says: ${text}`);
    const visit = this.#open.get(id);
    if (visit === undefined) return; // whoever begins to listen may come into the middle of a chain
    if (what === "policy") visit.policy = rest.split(" ")[0];
    const { rule, verdict } = (what === "rule" && ruleAndVerdict.exec(rest)?.groups) || {};
    if (rule !== undefined && verdict !== undefined) visit.matched.push({ chain, rule, verdict });
  }

  /** Forgets all that came before. */
  clear(): void {
    this.#open.clear();
    this.#visits.length = 0;
  }
}

/** True when the packet ended in this chain. */
export function isDropped({ matched, policy }: ChainVisit): boolean {
  return policy === "drop" || matched.at(-1)?.verdict === "drop";
}

function headersOf(text: string): PacketHeaders {
  const word = (pattern: RegExp) => pattern.exec(text)?.[1] ?? "";
  return {
    iif: word(/\biif "([^"]+)"/),
    oif: word(/\boif "([^"]+)"/),
    source: word(/\bip6? saddr (\S+)/),
    sourcePort: Number(word(/\budp sport (\d+)/)),
    destination: word(/\bip6? daddr (\S+)/),
    destinationPort: Number(word(/\budp dport (\d+)/)),
    payload: word(/@th,64,\d+ 0x([0-9a-f]+)/),
  };
}
