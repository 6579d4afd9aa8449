import { deepEqual } from "../../../core/index.ts";
import type { NetlinkSocket } from "../socket.ts";
import type { Chain } from "./chain.ts";
import type { Change } from "./change.ts";
import type { TableDefinition } from "./definition.ts";
import { listChains, listSets } from "./dump.ts";
import { flushSet } from "./element-changes.ts";
import { addRule, flushChain } from "./rule-changes.ts";
import type { NftSet } from "./set.ts";
import { addSet, deleteSet } from "./set-changes.ts";
import { compact } from "./symbols.ts";
import type { TableName } from "./table.ts";
import { addChain, addTable, deleteChain, deleteTable } from "./table-changes.ts";
import { createTable } from "./table-definition.ts";

/**
 * All that puts the definition in the place of the table that is there, for one transaction, so that no
 * packet meets neither. The sets' elements are gone then. Where the definition keeps a chain that is
 * there, it stays with its rules, and so do the sets and inner chains that the definition does not name,
 * which its rules may use; base chains that it does not name go. Throws KernelError. A table that is not
 * there is ENOENT when the changes are committed.
 */
export function rebuildTable(socket: NetlinkSocket, definition: TableDefinition): readonly Change[] {
  const { family, table } = definition;
  const name = { family, table };
  const chains = listChains(socket, name);
  if (!chains.some(({ chain }) => definition.chains[chain]?.kept))
    return [...deleteTable(name), ...createTable(definition)];
  const sets = listSets(socket, name);
  return inPlace(name, definition, chains, new Map(sets.map((one) => [one.set, one])));
}

function inPlace(
  name: TableName,
  definition: TableDefinition,
  chains: readonly Chain[],
  sets: ReadonlyMap<string, NftSet>,
): readonly Change[] {
  const own = chains.filter(
    ({ chain, hook }) => !definition.chains[chain]?.kept && (hook ?? definition.chains[chain]),
  );
  const outdated = own.filter((one) => !isAsDefined(one, definition));
  const stays = new Set(chains.filter((one) => !outdated.includes(one)).map(({ chain }) => chain));
  const typed = Object.entries(definition.sets).map(([set, type]) => {
    const found = sets.get(set)?.type;
    return { set: { ...name, set }, type, found, same: deepEqual(found, type) };
  });
  const written = Object.entries(definition.chains);
  return [
    // Rules and elements first, for what they speak of cannot be deleted before.
    ...own.flatMap((one) => flushChain(one)),
    ...typed.flatMap(({ set, found }) => (found === undefined ? [] : flushSet(set))),
    ...outdated.flatMap((one) => deleteChain(one)),
    ...typed.flatMap(({ set, found, same }) => (found === undefined || same ? [] : deleteSet(set))),
    ...addTable({ ...name, ...compact({ flags: definition.flags }) }),
    ...typed.flatMap(({ set, type, same }) => (same ? [] : addSet(set, type))),
    ...written.flatMap(([chain, { hook, comment }]) =>
      stays.has(chain) ? [] : addChain({ ...name, chain, ...compact({ hook, comment }) }),
    ),
    ...written.flatMap(([chain, { rules, kept }]) =>
      kept && stays.has(chain) ? [] : rules.flatMap((rule) => addRule({ ...name, chain }, rule)),
    ),
  ];
}

/** True for a chain that needs only other rules; of all else of a chain only the policy can be changed. */
function isAsDefined({ chain, hook, comment }: Chain, { chains }: TableDefinition): boolean {
  const defined = chains[chain];
  return defined !== undefined && deepEqual(defined.hook, hook) && defined.comment === comment;
}
