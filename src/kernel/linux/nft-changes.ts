import type { Operation, Outcome } from "../kernel.ts";
import { isKernelError, KernelError } from "../kernel-error.ts";
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
import { isBrokenOff } from "./broken-off.ts";

/** An operation on a table or an element. */
export type NftOperation = Operation & { readonly object: NftTableObject | NftElementObject };

/**
 * Carries out operations on one namespace's rule set as one transaction, all or none, and gives their
 * outcomes: a refusal is told of the first. What is to be deleted and is not there is no error. Throws
 * KernelError when the kernel did not answer.
 */
export function commitOperations(socket: NetlinkSocket, operations: readonly NftOperation[]): Outcome[] {
  const refusal = attempt(socket, operations);
  if (refusal === undefined) return operations.map((): Outcome => undefined);
  const deletes = operations.some(({ op }) => op === "delete");
  // Somebody deleted one of them before us. NFT_MSG_DESTROY* is younger (6.3) than kernels weft runs on.
  if (deletes && isKernelError(refusal, "ENOENT")) return oneByOne(socket, operations);
  return operations.map((_operation, i): Outcome => (i === 0 ? refusal : "skipped"));
}

function oneByOne(socket: NetlinkSocket, operations: readonly NftOperation[]): Outcome[] {
  let failed = false;
  return operations.map((operation): Outcome => {
    if (failed) return "skipped";
    const refusal = attempt(socket, [operation]);
    if (operation.op === "delete" && isKernelError(refusal, "ENOENT")) return undefined;
    failed = refusal !== undefined;
    return refusal;
  });
}

/** Commits them together. Gives the refusal; then nothing was done. */
function attempt(socket: NetlinkSocket, operations: readonly NftOperation[]): KernelError | undefined {
  try {
    commit(socket, joined(operations));
    return undefined;
  } catch (error) {
    if (error instanceof KernelError && !isBrokenOff(error)) return error;
    throw error;
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
