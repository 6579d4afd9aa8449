import { KernelError } from "../../kernel-error.ts";
import { attribute, attributes } from "../attributes.ts";
import type { NetlinkSocket } from "../socket.ts";
import { u32be } from "../wire.ts";
import type { Change } from "./change.ts";
import { batchEnd } from "./protocol.ts";

/** ERESTART of include/linux/errno.h: the generation that a batch was meant for is over. */
const ERESTART = 85;

/** NFNL_BATCH_*. */
const batchAttributes = attributes({ generation: attribute(1, u32be) });

/** On what a transaction depends. */
export interface CommitOptions {
  /**
   * Refuse unless the rule set of the namespace, of whatever table, is still of this generation; see
   * {@link getGeneration}. Then nobody has changed it since.
   */
  readonly generation?: number;
}

/** Why a transaction was not carried out. */
export interface CommitRefusals {
  /** The refused changes by their place among all, each with its refusal. None: it was refused as a whole. */
  readonly changes: ReadonlyMap<number, KernelError>;
  /** The first refusal. */
  readonly first: KernelError;
}

/**
 * Carries out all of `changes` or none. Throws KernelError for the first that the kernel refuses, with
 * the kernel's words, the name of what it was about and, in a list of elements, the element; then
 * nothing was changed. What is refused only as a whole (a generation that is over) is
 * told of the batch's first message. No changes are no error.
 */
export function commit(socket: NetlinkSocket, changes: readonly Change[], options: CommitOptions = {}): void {
  const refusals = tryCommit(socket, changes, options);
  if (refusals !== undefined) throw refusals.first;
}

/**
 * Like {@link commit}, and gives all that the kernel refused instead of throwing: it goes on through the
 * transaction after a refusal, with what was refused left out. Undefined when all was carried out. Throws
 * KernelError when it did not answer.
 */
export function tryCommit(
  socket: NetlinkSocket,
  changes: readonly Change[],
  options: CommitOptions = {},
): CommitRefusals | undefined {
  const [head] = changes;
  if (head === undefined) return undefined;
  const { generation } = options;
  const all = `${changes.length} changes from ${head.object} on`;
  const object = generation === undefined ? all : `${all}, for generation ${generation}`;
  const [begin, ...outcomes] = socket.batch([
    batchEnd("begin", object, batchAttributes, generation === undefined ? {} : { generation }),
    ...changes,
    batchEnd("end", object, batchAttributes, {}),
  ]);
  const refused = new Map<number, KernelError>();
  for (const [i, change] of changes.entries()) {
    const outcome = outcomes[i];
    if (outcome !== undefined) refused.set(i, located(outcome, change));
  }
  const [first = begin ?? outcomes[changes.length]] = refused.values();
  return first === undefined ? undefined : { changes: refused, first };
}

/** True for the error of a transaction whose `generation` was over. */
export function isGenerationConflict(error: unknown): boolean {
  return error instanceof KernelError && error.errno === ERESTART;
}

/** The error with the name of the very element, when the kernel said where it stands. */
function located(error: KernelError, change: Change): KernelError {
  const { words, offset } = error.details;
  if (typeof offset !== "number") return error;
  const object = change.objectAt?.(offset);
  if (object === undefined) return error;
  const { errno, call } = error;
  return new KernelError({ errno, call, object, offset, ...(typeof words === "string" ? { words } : {}) });
}
