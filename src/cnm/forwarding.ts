import type { UpstreamServer } from "../dns/index.ts";
import { parseResolvConf } from "../facts/index.ts";
import { hostNetns, type NetnsRef } from "../kernel/index.ts";
import type { Attachment } from "./gateway-order.ts";
import type { SandboxRecord } from "./records.ts";
import { resolverOptions } from "./sandbox-files.ts";

/** Whom a sandbox's resolver asks for names that are nobody's in its networks, and where from. */
export interface ForwardingPlan {
  /** `netns` is a reference, not yet a path. */
  readonly servers: readonly UpstreamServer[];
  readonly ndots?: number;
}

/**
 * The servers that the user named are asked from the sandbox, which has to reach them itself. The host's
 * own are asked from the host's namespace, where also its loopback addresses answer; but not for a sandbox
 * that has no way out, which would have one by them (LN §6).
 */
export function forwardingOf(
  sandbox: SandboxRecord,
  attachments: readonly Attachment[],
  netns: NetnsRef,
): ForwardingPlan {
  const ndots = ndotsOf(sandbox);
  return { servers: serversOf(sandbox, attachments, netns), ...(ndots === undefined ? {} : { ndots }) };
}

function serversOf(
  sandbox: SandboxRecord,
  attachments: readonly Attachment[],
  netns: NetnsRef,
): readonly UpstreamServer[] {
  if (sandbox.dns.length > 0) return sandbox.dns.map((address) => ({ address, netns }));
  if (!attachments.some(({ network }) => !network.internal)) return [];
  return parseResolvConf(sandbox.hostResolvConf).nameservers.map((server) => ({
    ...server,
    netns: hostNetns,
  }));
}

/** The `ndots` that the user or the host set; undefined while it is weft's own. */
function ndotsOf(sandbox: SandboxRecord): number | undefined {
  const option = resolverOptions(sandbox).findLast((one) => one.startsWith("ndots:"));
  return option === undefined ? undefined : Number(option.slice("ndots:".length));
}
