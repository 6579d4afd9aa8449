import type { FieldValue } from "../datatypes.ts";
import type { SetElement } from "../element.ts";
import type { Comparison, CtKey, Expression, MetaKey, NatFlag } from "../expressions/index.ts";
import type { KeyPart } from "../interval.ts";
import type { Verdict } from "../verdict.ts";
import type { MapTerm, Term } from "./term.ts";

/** A named set of the table; see {@link set}. */
export interface SetReference {
  readonly set: string;
}

/**
 * What a term is compared with: a value, a prefix ("10.0.0.0/8"), a range, a set of the table, or a list
 * (of values, or for a concatenation of lists of them), for which an anonymous set is made.
 */
export type Operand = KeyPart | SetReference | readonly KeyPart[] | readonly (readonly KeyPart[])[];

/** "in" is "==" that reads better before a set; "has" and "lacks" ask for any of some bits. */
export type MatchOperator = Comparison | "in" | "has" | "lacks";

/** Where to: an address, a port or both, each one or a range. */
export interface NatLiteral {
  readonly address?: KeyPart;
  readonly port?: KeyPart;
}

/** One part of a rule, in nft's order of words. A verdict is one too. Plain data. */
export type Clause =
  | { readonly clause: "match"; readonly left: Term; readonly op: MatchOperator; readonly right: Operand }
  | { readonly clause: "set-meta"; readonly key: MetaKey; readonly value: FieldValue | Term }
  | { readonly clause: "set-ct"; readonly key: CtKey; readonly value: FieldValue | Term }
  | NatClause
  | { readonly clause: "masquerade"; readonly flags: readonly NatFlag[] }
  | { readonly clause: "redirect"; readonly port?: KeyPart; readonly flags: readonly NatFlag[] }
  | { readonly clause: "verdict-map"; readonly of: Term; readonly map: string | readonly SetElement[] }
  | {
      readonly clause: "dynset";
      readonly operation: "add" | "update" | "delete";
      readonly set: string;
      readonly key: Term;
      readonly timeoutMs?: number;
    }
  | { readonly clause: "expression"; readonly expression: Expression }
  | Verdict;

/** Rewrites source or destination to what is written here or what a map holds. */
export interface NatClause {
  readonly clause: "nat";
  readonly type: "snat" | "dnat";
  readonly family: "ip" | "ip6";
  readonly to: NatLiteral | MapTerm;
  /** What the map's data is: an address and a port unless said otherwise. */
  readonly data: "address-and-port" | "address";
  readonly flags: readonly NatFlag[];
}

/** How `dnat` and `snat` do it. */
export interface NatOptions {
  readonly data?: NatClause["data"];
  readonly flags?: readonly NatFlag[];
}

/** A set of the table by its name. */
export function set(name: string): SetReference {
  return { set: name };
}

/** Goes on with the rule if the term stands so to the operand. */
export function match(left: Term, op: MatchOperator, right: Operand): Clause {
  return { clause: "match", left, op, right };
}

/** Sets a property of the packet: `setMeta("mark", 5)`. */
export function setMeta(key: MetaKey, value: FieldValue | Term): Clause {
  return { clause: "set-meta", key, value };
}

/** Sets a property of the flow: `setCt("mark", meta("mark"))`. */
export function setCt(key: CtKey, value: FieldValue | Term): Clause {
  return { clause: "set-ct", key, value };
}

/** Rewrites the destination: `dnat("ip", map(concat(...), "ports4"))`, `dnat("ip", { address, port })`. */
export function dnat(family: "ip" | "ip6", to: NatLiteral | MapTerm, options: NatOptions = {}): Clause {
  const { data = "address-and-port", flags = [] } = options;
  return { clause: "nat", type: "dnat", family, to, data, flags };
}

/** Rewrites the source. */
export function snat(family: "ip" | "ip6", to: NatLiteral | MapTerm, options: NatOptions = {}): Clause {
  const { data = "address-and-port", flags = [] } = options;
  return { clause: "nat", type: "snat", family, to, data, flags };
}

/** Rewrites the source to the address of the interface that the packet leaves by. */
export function masquerade(...flags: readonly NatFlag[]): Clause {
  return { clause: "masquerade", flags };
}

/** Rewrites the destination to the host itself, and to a port. */
export function redirect(port?: KeyPart, ...flags: readonly NatFlag[]): Clause {
  return { clause: "redirect", flags, ...(port === undefined ? {} : { port }) };
}

/** Judges by a verdict map of the table, or by an anonymous one with these elements. */
export function verdictMap(of: Term, map: string | readonly SetElement[]): Clause {
  return { clause: "verdict-map", of, map };
}

/** Puts the term into a dynamic set of the table. */
export function addToSet(name: string, key: Term, options: { readonly timeoutMs?: number } = {}): Clause {
  return { clause: "dynset", operation: "add", set: name, key, ...options };
}

/** Takes the term out of a dynamic set of the table. */
export function deleteFromSet(name: string, key: Term): Clause {
  return { clause: "dynset", operation: "delete", set: name, key };
}

/** Any expression as it is; its registers are the author's care. */
export function expressionClause(expression: Expression): Clause {
  return { clause: "expression", expression };
}

/** Counts what comes by. */
export function counter(): Clause {
  return expressionClause({ kind: "counter" });
}

/** Goes on with the rule for so many packets in so many seconds. */
export function limit(rate: number, perSeconds: 1 | 60 | 3600 | 86400 | 604800, burst = 5): Clause {
  const amount = { rate: BigInt(rate), perSeconds: BigInt(perSeconds) };
  return expressionClause({ kind: "limit", of: "packets", ...amount, burst });
}

/** Writes the packet into the kernel's log. `level` is LOGLEVEL_*. */
export function log(prefix: string, level?: number): Clause {
  return expressionClause({ kind: "log", prefix, ...(level === undefined ? {} : { level }) });
}

/** NFT_REJECT_ICMPX_* */
const icmpxCodes = {
  "no-route": 0,
  "port-unreachable": 1,
  "host-unreachable": 2,
  "admin-prohibited": 3,
} as const;

/** Drops the packet and tells the sender, in the ICMP of the packet's family or by a TCP reset. */
export function reject(why: keyof typeof icmpxCodes | "tcp-reset" = "port-unreachable"): Clause {
  if (why === "tcp-reset") return expressionClause({ kind: "reject", with: "tcp-reset", code: 0 });
  return expressionClause({ kind: "reject", with: "icmpx", code: icmpxCodes[why] });
}

/** Lets the packet go on to the next hook. */
export const accept: Verdict = { verdict: "accept" };
/** Drops the packet. */
export const drop: Verdict = { verdict: "drop" };
/** Goes back to the chain that the jump came from; nft's `return`. */
export const goBack: Verdict = { verdict: "return" };

/** Goes on in another chain, and comes back from its end. */
export function jump(chain: string): Verdict {
  return { verdict: "jump", chain };
}

/** Goes on in another chain for good. */
export function goTo(chain: string): Verdict {
  return { verdict: "goto", chain };
}
