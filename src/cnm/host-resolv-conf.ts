import { attachmentsOf, type Context, sandboxChange } from "./context.ts";
import { sandboxOwner } from "./plans.ts";
import type { SandboxRecord } from "./records.ts";

/** Records what the host's resolv.conf says now, before a start plans with it. */
export function takeInHostResolvConf(context: Context): void {
  const text = context.facts.resolvConf();
  for (const sandbox of outdated(context, text)) {
    const current: SandboxRecord = { ...sandbox, hostResolvConf: text };
    context.tables.sandboxes.set(current);
    context.store.later((transaction) => context.tables.sandboxes.put(transaction, current));
  }
}

/**
 * Brings every sandbox to what the host's resolv.conf says now: its own file, and the servers that its
 * resolver asks. What cannot be brought there is told as an event.
 */
export async function followHostResolvConf(context: Context, text: string): Promise<void> {
  for (const { id } of outdated(context, text)) {
    await context.locks
      .run(sandboxOwner(id), async () => {
        const sandbox = context.tables.sandboxes.get(id);
        if (sandbox === undefined || sandbox.state === "deleting") return;
        const current: SandboxRecord = { ...sandbox, hostResolvConf: text };
        await context.store.transact((transaction) => context.tables.sandboxes.put(transaction, current));
        context.tables.sandboxes.set(current);
        await context.reconciler.change(sandboxChange(context, current, attachmentsOf(context, id)));
      })
      .catch((error: unknown) =>
        context.events.emit({ event: "follow-failed", what: sandboxOwner(id), error }),
      );
  }
}

function outdated({ tables }: Context, text: string): readonly SandboxRecord[] {
  return [...tables.sandboxes.all()].filter(
    ({ state, hostResolvConf }) => state !== "deleting" && hostResolvConf !== text,
  );
}
