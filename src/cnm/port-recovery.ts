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
    const tell = (error: unknown) =>
      context.events.emit({ event: "port-lost", what: sandboxOwner(sandbox.id), error });
    try {
      for (const { reason } of reserveAgain(context, sandbox)) tell(reason);
    } catch (error) {
      tell(error); // its plan fails too, and no other sandbox's
    }
  }
}

/** Publishes those lost ports that other programs have given up meanwhile. Gives the others. */
export async function takeLostPorts(context: Context): Promise<readonly StillLost[]> {
  const still: StillLost[] = [];
  for (const id of [...context.lostPorts.keys()]) {
    await context.locks.run(sandboxOwner(id), async () => {
      const before = context.lostPorts.get(id);
      const sandbox = context.tables.sandboxes.get(id);
      if (before === undefined || sandbox === undefined || sandbox.state === "deleting") {
        context.lostPorts.delete(id);
        return;
      }
      try {
        const lost = reserveAgain(context, sandbox);
        still.push(...lost.map(({ reason }) => ({ what: sandboxOwner(id), error: reason })));
        if (lost.length < before.size)
          await context.reconciler.change(sandboxChange(context, sandbox, attachmentsOf(context, id)));
      } catch (error) {
        still.push({ what: sandboxOwner(id), error });
        context.hostPorts.release(
          id,
          [...before.values()].map(({ binding }) => binding),
        );
        context.lostPorts.set(id, before);
      }
    });
  }
  return still;
}
