import type { Operation } from "../kernel.ts";
import { isKernelError } from "../kernel-error.ts";
import {
  addElements,
  type Change,
  commit,
  createTable,
  deleteElements,
  deleteTable,
} from "../netlink/nftables/index.ts";
import type { NetlinkSocket } from "../netlink/socket.ts";
import type { NftElementObject, NftTableObject } from "../nft-objects.ts";

/** An operation on a table or an element. */
export type NftOperation = Operation & { readonly object: NftTableObject | NftElementObject };

/**
 * Carries out operations on one namespace's rule set as one transaction: all or none. What is to be
 * deleted and is not there is no error. Throws KernelError.
 */
export function commitOperations(socket: NetlinkSocket, operations: readonly NftOperation[]): void {
  try {
    commit(socket, joined(operations));
  } catch (error) {
    const deletes = operations.some(({ op }) => op === "delete");
    if (!deletes || !isKernelError(error, "ENOENT")) throw error;
    // Somebody deleted one of them before us. NFT_MSG_DESTROY* is younger (6.3) than kernels weft runs on.
    for (const operation of operations) commitAlone(socket, operation);
  }
}

function commitAlone(socket: NetlinkSocket, operation: NftOperation): void {
  try {
    commit(socket, joined([operation]));
  } catch (error) {
    if (operation.op !== "delete" || !isKernelError(error, "ENOENT")) throw error;
  }
}

/** The messages of the operations; neighbouring elements of one set share one. */
function joined(operations: readonly NftOperation[]): readonly Change[] {
  const changes: Change[] = [];
  for (let i = 0; i < operations.length; ) {
    const operation = operations[i];
    if (operation === undefined) break;
    const { op, object } = operation;
    if (object.kind === "nft-table") {
      changes.push(...tableChanges(op, object));
      i++;
      continue;
    }
    const run = sameSet(operations.slice(i), op, object);
    const elements = run.map(({ element }) => element);
    changes.push(
      ...(op === "delete"
        ? deleteElements(object, object.type, elements)
        : addElements(object, object.type, elements)),
    );
    i += run.length;
  }
  return changes;
}

function tableChanges(op: Operation["op"], { definition }: NftTableObject): readonly Change[] {
  if (op === "create") return createTable(definition, { exclusive: true });
  return op === "delete" ? deleteTable(definition) : [...deleteTable(definition), ...createTable(definition)];
}

function sameSet(
  operations: readonly NftOperation[],
  op: Operation["op"],
  first: NftElementObject,
): NftElementObject[] {
  const run: NftElementObject[] = [];
  for (const { op: other, object } of operations) {
    const same =
      object.kind === "nft-element" &&
      object.set === first.set &&
      object.table === first.table &&
      object.family === first.family;
    if (!same || (other === "delete") !== (op === "delete")) break;
    run.push(object);
  }
  return run;
}
