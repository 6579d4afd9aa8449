import { isKernelError } from "../kernel/index.ts";
import type { Step } from "../plan/index.ts";
import { attachmentsOf, type Context, sandboxChange } from "./context.ts";
import { listenerType } from "./held-names.ts";
import type { SandboxRecord } from "./records.ts";

/** How many further ports are tried before a sandbox is left without names. */
const attempts = 32;

/**
 * The sandbox whose resolver could not listen since a program in it has taken the port while weft was
 * away; undefined for any other failure.
 */
export function sandboxWithoutPort(context: Context, step: Step, error: unknown): SandboxRecord | undefined {
  const { object } = step;
  if (object.kind !== "held" || object.type !== listenerType || !isKernelError(error, "EADDRINUSE"))
    return undefined;
  return [...context.tables.sandboxes.all()].find(({ id }) => id === object.id);
}

/** Records another port for a sandbox's resolver, and makes it listen there. Throws the last refusal when none is free. */
export async function moveResolver(context: Context, sandbox: SandboxRecord): Promise<void> {
  let moved = sandbox;
  for (let attempt = 1; ; attempt++) {
    moved = { ...moved, dnsPort: moved.dnsPort + 1 };
    try {
      await context.store.transact((transaction) => context.tables.sandboxes.put(transaction, moved));
      context.tables.sandboxes.set(moved);
      await context.reconciler.change(sandboxChange(context, moved, attachmentsOf(context, moved.id)));
      return;
    } catch (error) {
      if (attempt === attempts || !isKernelError(error, "EADDRINUSE")) throw error;
    }
  }
}
