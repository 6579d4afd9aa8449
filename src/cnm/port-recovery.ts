import { attachmentsOf, type Context, sandboxChange } from "./context.ts";
import { sandboxOwner } from "./plans.ts";
import { reserveAgain } from "./port-bindings.ts";

/** What could not be had, and why. */
interface StillLost {
  readonly what: string;
  readonly error: unknown;
}

/** Reserves the ports of a start before anything is planned with them. What other programs have is told as an event. */
export function reservePorts(context: Context): void {
  for (const sandbox of context.tables.sandboxes.all()) {
    if (sandbox.state === "deleting") continue;
    for (const { reason } of reserveAgain(context, sandbox))
      context.events.emit({ event: "port-lost", what: sandboxOwner(sandbox.id), error: reason });
  }
}

/** Publishes those lost ports that other programs have given up meanwhile. Gives the others. */
export async function takeLostPorts(context: Context): Promise<readonly StillLost[]> {
  const still: StillLost[] = [];
  for (const id of [...context.lostPorts.keys()]) {
    await context.locks.run(sandboxOwner(id), async () => {
      const before = context.lostPorts.get(id)?.size ?? 0;
      const sandbox = context.tables.sandboxes.get(id);
      if (sandbox === undefined || sandbox.state === "deleting") {
        context.lostPorts.delete(id);
        return;
      }
      const lost = reserveAgain(context, sandbox);
      still.push(...lost.map(({ reason }) => ({ what: sandboxOwner(id), error: reason })));
      if (lost.length < before)
        await context.reconciler.change(sandboxChange(context, sandbox, attachmentsOf(context, id)));
    });
  }
  return still;
}
