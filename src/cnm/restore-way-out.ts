import type { Id } from "../core/index.ts";
import { attachmentsOf, type Context } from "./context.ts";
import { type Attachment, inGatewayOrder } from "./gateway-order.ts";
import { endpointOwner, sandboxOwner } from "./plans.ts";
import { isElsewhere, recordAndProgram, revoke, wayOut } from "./way-out.ts";

/** Hears of a driver that could not be told. */
type OnError = (attachment: Attachment, error: unknown) => void;

/**
 * Tells drivers that do work elsewhere what a crash kept them from hearing of ways out, in the background: no
 * start waits for one of them. What they may have heard in part is undone first.
 */
export function restoreWaysOut(context: Context, onError: OnError): void {
  for (const { id, state } of context.tables.sandboxes.all()) {
    if (state === "deleting" || unsettled(context, id).length === 0) continue;
    const leaving = [...context.tables.endpoints.all()].filter(
      ({ join }) => join?.sandbox === id && join.leaving === true,
    );
    context.background.start(sandboxOwner(id), async () => {
      // Nobody is told that he is the way out before another has heard that he is not.
      for (const endpoint of leaving) await context.background.settled(endpointOwner(endpoint.id));
      await context.locks.run(sandboxOwner(id), async () => {
        for (const one of unsettled(context, id)) await settle(context, one, onError);
      });
    });
  }
}

/** An endpoint whose driver does not know what it is. */
interface Unsettled {
  readonly attachment: Attachment;
  readonly isWayOut: boolean;
}

/** What of a sandbox's endpoints drivers do not know, the way out last. */
function unsettled(context: Context, sandbox: Id): readonly Unsettled[] {
  const attachments = inGatewayOrder(attachmentsOf(context, sandbox));
  const way = wayOut(attachments);
  return attachments
    .filter((attachment) => isElsewhere(context, attachment))
    .map((attachment) => ({ attachment, isWayOut: attachment === way }))
    .filter(
      ({ attachment: { endpoint }, isWayOut }) => endpoint.join?.wayOut !== (isWayOut ? "told" : undefined),
    )
    .sort((a, b) => Number(a.isWayOut) - Number(b.isWayOut));
}

async function settle(
  context: Context,
  { attachment, isWayOut }: Unsettled,
  onError: OnError,
): Promise<void> {
  const { endpoint } = attachment;
  try {
    if (endpoint.join?.wayOut !== undefined) await revoke(context, attachment);
    if (isWayOut) await recordAndProgram(context, attachment);
  } catch (error) {
    onError(attachment, error);
  }
}
