import { inNetnsAt } from "../src/kernel/index.ts";

/** A network namespace by a name that its readers know. */
export interface Place {
  readonly name: string;
  readonly path: string;
  /** Runs synchronous work with this thread inside the namespace. */
  run<T>(work: () => T): T;
}

/** The namespace at a path. */
export function placeAt(name: string, path: string): Place {
  return { name, path, run: (work) => inNetnsAt(path, work) };
}
