import type { Id } from "../core/index.ts";
import { attachmentsOf, type Context, sandboxChange } from "./context.ts";
import { sandboxOwner } from "./plans.ts";
import type { SandboxRecord } from "./records.ts";

/** Records what the host's resolv.conf says now, before a start plans with it. */
export function takeInHostResolvConf(context: Context): void {
  const text = context.facts.resolvConf();
  for (const sandbox of outdated(context, text)) {
    const { id } = sandbox;
    context.tables.sandboxes.set(withText(sandbox, text));
    context.store.later((transaction) =>
      context.tables.sandboxes.change(transaction, id, (record) => withText(record, text)),
    );
  }
}

/**
 * Brings every sandbox to what the host's resolv.conf says now: its own file, and the servers that its
 * resolver asks. One run at a time, each by what is said when it begins. What cannot be brought there is
 * told as an event.
 */
export function followHostResolvConf(context: Context): Promise<void> {
  return context.locks.run("host resolv.conf", async () => {
    const text = context.facts.resolvConf();
    for (const { id } of outdated(context, text)) {
      await context.locks
        .run(sandboxOwner(id), () => follow(context, id, text))
        .catch((error: unknown) =>
          context.events.emit({ event: "follow-failed", what: sandboxOwner(id), error }),
        );
    }
  });
}

async function follow(context: Context, id: Id, text: string): Promise<void> {
  const sandbox = context.tables.sandboxes.get(id);
  if (sandbox === undefined || sandbox.state === "deleting") return;
  const current = withText(sandbox, text);
  await context.store.transact((transaction) => context.tables.sandboxes.put(transaction, current));
  context.tables.sandboxes.set(current);
  await context.reconciler.change(sandboxChange(context, current, attachmentsOf(context, id)));
}

function withText(sandbox: SandboxRecord, hostResolvConf: string): SandboxRecord {
  return { ...sandbox, hostResolvConf };
}

function outdated({ tables }: Context, text: string): readonly SandboxRecord[] {
  return [...tables.sandboxes.all()].filter(
    ({ state, hostResolvConf }) => state !== "deleting" && hostResolvConf !== text,
  );
}
