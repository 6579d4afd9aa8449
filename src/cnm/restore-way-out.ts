import { attachmentsOf, type Context } from "./context.ts";
import { type Attachment, inGatewayOrder } from "./gateway-order.ts";
import { isElsewhere, program, putTelling, revoke, wayOut } from "./way-out.ts";

/**
 * Tells drivers that do work elsewhere what a crash kept them from hearing of ways out. What they may have
 * heard in part is undone first. Failures are given to `onError`, with the endpoint.
 */
export async function restoreWaysOut(
  context: Context,
  onError: (attachment: Attachment, error: unknown) => void,
): Promise<void> {
  for (const sandbox of context.tables.sandboxes.all()) {
    if (sandbox.state === "deleting") continue;
    const attachments = inGatewayOrder(attachmentsOf(context, sandbox.id));
    const way = wayOut(attachments);
    const elsewhere = attachments.filter((one) => isElsewhere(context, one));
    // Nobody is told that he is the way out before another has heard that he is not.
    for (const one of elsewhere.filter((other) => other !== way)) await settle(context, one, false, onError);
    for (const one of elsewhere.filter((other) => other === way)) await settle(context, one, true, onError);
  }
}

async function settle(
  context: Context,
  attachment: Attachment,
  isWayOut: boolean,
  onError: (attachment: Attachment, error: unknown) => void,
): Promise<void> {
  const { endpoint } = attachment;
  const told = endpoint.join?.wayOut;
  if (told === "told" && isWayOut) return;
  try {
    if (told !== undefined) await revoke(context, attachment);
    if (!isWayOut) return;
    await context.store.transact((transaction) => putTelling(context, transaction, endpoint));
    await program(context, attachment);
  } catch (error) {
    onError(attachment, error);
  }
}
