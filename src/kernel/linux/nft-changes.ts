import type { Operation, Outcome } from "../kernel.ts";
import { isKernelError, type KernelError } from "../kernel-error.ts";
import {
  addElements,
  type Change,
  type CommitRefusals,
  createTable,
  deleteElements,
  deleteTable,
  rebuildTable,
  tryCommit,
} from "../netlink/nftables/index.ts";
import type { NetlinkSocket } from "../netlink/socket.ts";
import type { AcceptRuleObject, NftElementObject, NftTableObject } from "../nft-objects.ts";
import { acceptRuleChanges } from "./accept-rules.ts";

/** An operation on a rule set. */
export type NftOperation = Operation & {
  readonly object: NftTableObject | NftElementObject | AcceptRuleObject;
};

/** Messages of a transaction and the operation that they carry out, the first where they do so for several. */
interface Part {
  readonly operation: NftOperation;
  readonly changes: readonly Change[];
}

/**
 * Carries out operations on one namespace's rule set as one transaction, all or none, and gives their
 * outcomes: each refused one has its refusal, and then all others are skipped. What is to be deleted and
 * is not there is no error. Throws KernelError when the kernel did not answer.
 */
export function commitOperations(socket: NetlinkSocket, operations: readonly NftOperation[]): Outcome[] {
  const gone = new Set<NftOperation>();
  for (;;) {
    const rest = operations.filter((operation) => !gone.has(operation));
    const refusals = attempt(socket, rest);
    const others = [...refusals.keys()].filter((operation) => !isGone(operation, refusals.get(operation)));
    if (refusals.size === 0) return operations.map((): Outcome => undefined);
    if (others.length > 0)
      return operations.map((operation): Outcome => {
        if (gone.has(operation) || isGone(operation, refusals.get(operation))) return undefined;
        return refusals.get(operation) ?? "skipped";
      });
    // Somebody deleted them before us. NFT_MSG_DESTROY* is younger (6.3) than kernels weft runs on.
    for (const operation of refusals.keys()) gone.add(operation);
  }
}

function isGone({ op }: NftOperation, refusal: KernelError | undefined): boolean {
  return op === "delete" && isKernelError(refusal, "ENOENT");
}

/** Commits them together. Gives what was refused; then nothing was done. */
function attempt(
  socket: NetlinkSocket,
  operations: readonly NftOperation[],
): ReadonlyMap<NftOperation, KernelError> {
  const refused = new Map<NftOperation, KernelError>();
  if (commitParts(socket, sharedParts(socket, operations)) === undefined) return refused;
  // Elements that share a message share its refusal: with one message each, the kernel names every one.
  const parts = operations.flatMap((operation) => partsOf(socket, [operation]));
  const refusals = commitParts(socket, parts);
  const [head] = operations;
  if (refusals === undefined || head === undefined) return refused;
  if (refusals.changes.size === 0) return refused.set(head, refusals.first);
  const operationOf = parts.flatMap(({ operation, changes }) => changes.map(() => operation));
  for (const [at, refusal] of refusals.changes) {
    const operation = operationOf[at] ?? head; // as many as there are changes
    if (!refused.has(operation)) refused.set(operation, refusal);
  }
  return refused;
}

function commitParts(socket: NetlinkSocket, parts: readonly Part[]): CommitRefusals | undefined {
  return tryCommit(
    socket,
    parts.flatMap(({ changes }) => changes),
  );
}

/**
 * The messages of the operations. Elements of one set share a message, also where those of others stand between
 * them, as long as all of these are added, or all deleted: then their order is of no matter.
 */
function sharedParts(socket: NetlinkSocket, operations: readonly NftOperation[]): readonly Part[] {
  const parts: Part[] = [];
  for (let from = 0; from < operations.length; ) {
    const end = endOfStretch(operations, from);
    for (const run of bySet(operations.slice(from, end))) parts.push(...partsOf(socket, run));
    from = end;
  }
  return parts;
}

/** The end of the operations from `from` on that all add elements, or all delete some; of any other, the next. */
function endOfStretch(operations: readonly NftOperation[], from: number): number {
  const first = operations[from];
  let end = from + 1;
  if (first?.object.kind !== "nft-element") return end;
  const deletes = first.op === "delete";
  for (; end < operations.length; end++) {
    const next = operations[end];
    if (next?.object.kind !== "nft-element" || (next.op === "delete") !== deletes) break;
  }
  return end;
}

/** Operations grouped by the set of their element, which are few. */
function bySet(operations: readonly NftOperation[]): readonly NftOperation[][] {
  const groups: NftOperation[][] = [];
  for (const operation of operations) {
    const group = groupOf(operation, groups);
    if (group === undefined) groups.push([operation]);
    else group.push(operation);
  }
  return groups;
}

function groupOf(operation: NftOperation, groups: readonly NftOperation[][]): NftOperation[] | undefined {
  for (const group of groups) if (isSameSet(group[0], operation)) return group;
  return undefined;
}

function isSameSet(a: NftOperation | undefined, b: NftOperation): boolean {
  if (a?.object.kind !== "nft-element" || b.object.kind !== "nft-element") return false;
  const [one, other] = [a.object, b.object];
  return one.set === other.set && one.table === other.table && one.family === other.family;
}

/** The part of operations that share their messages; none of no operations. */
function partsOf(socket: NetlinkSocket, run: readonly NftOperation[]): readonly Part[] {
  const [operation] = run;
  return operation === undefined ? [] : [{ operation, changes: changesOf(socket, operation, run) }];
}

/** The messages of one operation, or of several on elements of one set. */
function changesOf(
  socket: NetlinkSocket,
  { op, object }: NftOperation,
  run: readonly NftOperation[],
): readonly Change[] {
  switch (object.kind) {
    case "nft-table":
      return tableChanges(socket, op, object);
    case "accept-rule":
      return acceptRuleChanges(socket, op, object);
    case "nft-element": {
      const elements = run.flatMap((one) => (one.object.kind === "nft-element" ? [one.object.element] : []));
      return op === "delete"
        ? deleteElements(object, object.type, elements)
        : addElements(object, object.type, elements);
    }
  }
}

function tableChanges(
  socket: NetlinkSocket,
  op: Operation["op"],
  { definition }: NftTableObject,
): readonly Change[] {
  if (op === "create") return createTable(definition, { exclusive: true });
  return op === "delete" ? deleteTable(definition) : rebuildTable(socket, definition);
}
