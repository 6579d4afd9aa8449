import { deepEqual } from "../../core/index.ts";
import { isKernelError } from "../kernel-error.ts";
import { acceptMark, tableName } from "../marks.ts";
import { attribute, attributes } from "../netlink/attributes.ts";
import {
  accept,
  addRule,
  type Change,
  counter,
  deleteRule,
  type Expression,
  listAllChains,
  listRules,
  masked,
  match,
  meta,
  type Rule,
  rule,
} from "../netlink/nftables/index.ts";
import type { NetlinkSocket } from "../netlink/socket.ts";
import { bytes, encode, text, u32, u32be } from "../netlink/wire.ts";
import type { NetnsRef } from "../netns-ref.ts";
import { type AcceptRuleObject, isForwardFamily } from "../nft-objects.ts";

/**
 * The rule as iptables 1.8.9 writes it in its nftables mode (read by `nft --debug=netlink list ruleset`):
 * with the counter, for iptables counts in every rule.
 */
const definition = rule("ip", [match(masked(meta("mark"), acceptMark), "==", acceptMark), counter(), accept]);

/** The mark in the host's order, as a comparison of the rule holds it, and as iptables' own match does. */
const markBytes = encode(u32, acceptMark);

/** NFTA_MATCH_* of include/uapi/linux/netfilter/nf_tables_compat.h. */
const compatMatch = attributes({
  name: attribute(1, text),
  revision: attribute(2, u32be),
  info: attribute(3, bytes),
});

/** The rules of weft's in other people's base chains on the forward hook. Throws KernelError. */
export function foreignAcceptRules(socket: NetlinkSocket, netns: NetnsRef): readonly AcceptRuleObject[] {
  return listAllChains(socket).flatMap(({ family, table, chain, hook }): AcceptRuleObject[] => {
    if (hook?.hook !== "forward" || table === tableName || !isForwardFamily(family)) return [];
    const object: AcceptRuleObject = { kind: "accept-rule", netns, family, table, chain };
    return rulesOf(socket, object).length === 0 ? [] : [object];
  });
}

/**
 * The changes that make the rule, at the head of its chain, or delete it; none when it is so already.
 * Making it where there is no such chain is ENOENT when it is committed. Throws KernelError.
 */
export function acceptRuleChanges(
  socket: NetlinkSocket,
  op: "create" | "change" | "delete",
  object: AcceptRuleObject,
): readonly Change[] {
  const there = rulesOf(socket, object);
  if (op === "delete") return there.flatMap((one) => deleteRule(one));
  return there.length > 0 ? [] : addRule(object, definition, "first");
}

/** All of weft's rules in the chain, wherever they stand. */
function rulesOf(socket: NetlinkSocket, { family, table, chain }: AcceptRuleObject): readonly Rule[] {
  // A firewall may have thousands of rules: most have neither of the expressions that this one begins with.
  const maybe = (attributes: Buffer) => attributes.includes("bitwise\0") || attributes.includes("match\0");
  try {
    return listRules(socket, { family, table }, chain, maybe).filter(isAcceptRule);
  } catch (error) {
    if (isKernelError(error, "ENOENT")) return [];
    throw error;
  }
}

function isAcceptRule({ expressions }: Rule): boolean {
  const steps = expressions.filter(({ kind }) => kind !== "counter");
  const own = definition.steps.filter(({ kind }) => kind !== "counter");
  const verdict = steps.slice(-1);
  return (
    deepEqual(steps, own) ||
    (steps.length === 2 && deepEqual(verdict, own.slice(-1)) && isMarkMatch(steps[0]))
  );
}

/** The same by the match of iptables' own that versions before 1.8.9 write: struct xt_mark_mtinfo1. */
function isMarkMatch(step: Expression | undefined): boolean {
  if (step?.kind !== "unknown" || step.name !== "match" || step.bytes === undefined) return false;
  const { name, revision, info = Buffer.alloc(0) } = compatMatch.read(Buffer.from(step.bytes, "hex"));
  const wanted = Buffer.concat([markBytes, markBytes, Buffer.of(0)]); // mark, mask, not inverted
  return name === "mark" && revision === 1 && wanted.equals(info.subarray(0, wanted.length));
}
