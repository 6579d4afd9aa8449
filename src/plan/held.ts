import { WeftError } from "../core/index.ts";
import type { HeldObject } from "./object.ts";

/** Knows how to acquire and give back one type of held object. */
export interface HeldHandler {
  readonly type: string;
  /** Its place in the order of kinds. */
  readonly rank: number;
  /**
   * True when {@link acquire} takes hold of all that others rely on before its first wait: then others of its rank, and
   * what comes after them in order, up to the next held object, is done while it goes on.
   */
  readonly alongside?: boolean;
  /** Takes hold. Rejects when it cannot; then nothing is held. */
  acquire(object: HeldObject): Promise<void>;
  /**
   * Turns what is held into what is wanted; without this, it is released and acquired anew. Rejects when
   * it cannot; then what was held still is.
   */
  change?(object: HeldObject, former: HeldObject): Promise<void>;
  /** Lets go; resolves when nothing is held any more. */
  release(object: HeldObject): Promise<void>;
}

/** The handlers of one reconciler, by type. */
export type HeldHandlers = ReadonlyMap<string, HeldHandler>;

/** The handler of a held object. Throws INTERNAL when its type was never registered. */
export function handlerOf(handlers: HeldHandlers, object: HeldObject): HeldHandler {
  const handler = handlers.get(object.type);
  if (handler === undefined)
    throw new WeftError("INTERNAL", `no handler for held objects of type ${object.type}`);
  return handler;
}
