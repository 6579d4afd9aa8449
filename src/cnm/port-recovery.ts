import { attachmentsOf, type Context, sandboxChange } from "./context.ts";
import { sandboxOwner } from "./plans.ts";
import { reserveAgain } from "./port-bindings.ts";
import type { SandboxRecord } from "./records.ts";

/** What could not be had, and why. */
interface StillLost {
  readonly what: string;
  readonly error: unknown;
}

/** Reserves the ports of a start before anything is planned with them. What other programs have is told as an event. */
export function reservePorts(context: Context): void {
  const sandboxes = [...context.tables.sandboxes.all()].filter(
    ({ state, bindings }) => state !== "deleting" && bindings.length > 0,
  );
  const lost: StillLost[] = [];
  const count = sandboxes.reduce((sum, { bindings }) => sum + bindings.length, 0);
  try {
    if (count > 0)
      context.hostPorts.together(count, () => {
        for (const sandbox of sandboxes) lost.push(...lostBy(context, sandbox));
      });
  } catch (error) {
    lost.push(...sandboxes.map(({ id }) => ({ what: sandboxOwner(id), error })));
  }
  for (const one of lost) context.events.emit({ event: "port-lost", ...one });
}

function lostBy(context: Context, sandbox: SandboxRecord): readonly StillLost[] {
  const what = sandboxOwner(sandbox.id);
  try {
    return reserveAgain(context, sandbox).map(({ reason }) => ({ what, error: reason }));
  } catch (error) {
    return [{ what, error }]; // its plan fails too, and no other sandbox's
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
