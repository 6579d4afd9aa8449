import assert from "node:assert/strict";
import { type Identity, KernelError, MemoryKernel, type Operation } from "../../src/kernel/index.ts";
import {
  type HeldHandler,
  type HeldObject,
  identityOfPlanned,
  type PlannedObject,
  Reconciler,
  type ReconcilerEvent,
  StoreJournal,
} from "../../src/plan/index.ts";
import { MemoryStore } from "../../src/store/index.ts";
import { fileFolder, netnsFolder } from "./objects.ts";

/** A handler that notes what it is told, and refuses what `refuses` names. */
export class NotedThings implements HeldHandler {
  readonly type: string;
  readonly rank: number;
  readonly log: string[];
  readonly refuses = new Set<string>();

  constructor(log: string[] = [], type = "thing", rank = 8) {
    this.log = log;
    this.type = type;
    this.rank = rank;
  }

  async acquire(object: HeldObject): Promise<void> {
    this.#note("acquire", object);
  }

  async release(object: HeldObject): Promise<void> {
    this.#note("release", object);
  }

  #note(verb: string, { id, spec }: HeldObject): void {
    const line = `${verb} ${id} ${JSON.stringify(spec)}`;
    if (this.refuses.has(line)) throw new Error(`cannot ${line}`);
    this.log.push(line);
  }
}

/** A host of one reconciler: the twin, a journal, and what was told. */
export interface World {
  readonly kernel: MemoryKernel;
  readonly store: MemoryStore;
  readonly journal: StoreJournal;
  readonly things: NotedThings;
  readonly reconciler: Reconciler;
  readonly events: ReconcilerEvent[];
  /** A reconciler that knows nothing yet, on the same host: what starts after a crash. */
  restarted(): World;
}

export function newWorld(kernel = new MemoryKernel(), store = new MemoryStore()): World {
  const journal = new StoreJournal(store);
  const things = new NotedThings();
  const reconciler = new Reconciler({ kernel, journal, held: [things], netnsFolder, fileFolder });
  const events: ReconcilerEvent[] = [];
  reconciler.events.subscribe((event) => events.push(event));
  return { kernel, store, journal, things, reconciler, events, restarted: () => newWorld(kernel, store) };
}

/** Identities of everything that the twin holds, in order. */
export function there({ kernel }: World): readonly Identity[] {
  return kernel
    .all()
    .map(({ object }) => identityOfPlanned(object))
    .sort();
}

/** Asserts that the twin holds just these. */
export function assertThere(world: World, ...objects: readonly PlannedObject[]): void {
  assert.deepEqual(there(world), objects.map(identityOfPlanned).sort());
}

/** What was asked of the twin since the last call, `create link host br0`. */
export function operations({ kernel }: World): readonly string[] {
  return kernel.operations.splice(0).map(({ op, object }) => `${op} ${identityOfPlanned(object)}`);
}

/** A refusal of the kernel's. */
export function refusal(errno = 16): KernelError {
  return new KernelError({ errno, call: "test", object: "operation" });
}

/** Refuses operations that `matches` is true of. */
export function refusing({ kernel }: World, matches: (operation: Operation) => boolean): KernelError {
  const error = refusal();
  kernel.onOperation = (operation) => (matches(operation) ? error : undefined);
  return error;
}

/** A promise that is resolved by hand. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
