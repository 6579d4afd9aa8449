import { type ForwardFamily, isForwardFamily, tableName } from "../kernel/index.ts";
import { attribute, attributes, type NetlinkSocket, nftables, text } from "../kernel/netlink/index.ts";

const { listAllChains, listRules, listTables } = nftables;

/** Somebody else's base chain that judges what this host forwards. */
export interface ForeignChain {
  readonly family: ForwardFamily;
  readonly table: string;
  readonly chain: string;
  /** It may drop: by its policy, or by a rule that a packet can get to. */
  readonly drops: boolean;
}

/** Targets of iptables that decide against a packet, or leave it to a program that may. */
const droppingTargets = new Set(["DROP", "REJECT", "NFQUEUE", "TARPIT"]);

/** NFTA_TARGET_NAME of include/uapi/linux/netfilter/nf_tables_compat.h. */
const compatTarget = attributes({ name: attribute(1, text) });

/**
 * Base chains of type filter on the forward hook outside weft's tables, of the families that forwarded
 * packets meet; those of tables that sleep judge nothing and are left out. Throws KernelError.
 */
export function foreignForwardChains(socket: NetlinkSocket): readonly ForeignChain[] {
  const tables = listTables(socket).filter(
    ({ table, family, flags }) =>
      table !== tableName && isForwardFamily(family) && !flags?.includes("dormant"),
  );
  if (tables.length === 0) return [];
  const awake = new Set(tables.map(({ family, table }) => `${family} ${table}`));
  return listAllChains(socket).flatMap(({ family, table, chain, hook }): ForeignChain[] => {
    if (hook?.hook !== "forward" || hook.type !== "filter") return [];
    if (!isForwardFamily(family) || !awake.has(`${family} ${table}`)) return [];
    const drops = hook.policy === "drop" || reachesDrop(socket, { family, table }, chain);
    return [{ family, table, chain, drops }];
  });
}

/** Follows jumps from the chain on, each chain once, until a rule is found that may drop. */
function reachesDrop(socket: NetlinkSocket, table: nftables.TableName, from: string): boolean {
  const reached = new Set([from]);
  for (const chain of reached) {
    // A set gives what is added while it is gone through.
    for (const { expressions } of listRules(socket, table, chain)) {
      for (const expression of expressions) {
        if (mayDrop(expression)) return true;
        if (expression.kind === "verdict" && "chain" in expression.verdict)
          reached.add(expression.verdict.chain);
      }
    }
  }
  return false;
}

/** True for a step that drops, or may: what a verdict map holds, or a program answers, is not looked at. */
function mayDrop(expression: nftables.Expression): boolean {
  switch (expression.kind) {
    case "verdict":
      return expression.verdict.verdict === "drop" || expression.verdict.verdict === "queue";
    case "lookup":
      return expression.into === "verdict";
    case "reject":
    case "queue":
      return true;
    case "unknown":
      return expression.name === "target" && droppingTargets.has(targetName(expression.bytes));
    default:
      return false;
  }
}

function targetName(bytes: string | undefined): string {
  return compatTarget.read(Buffer.from(bytes ?? "", "hex")).name ?? "";
}
