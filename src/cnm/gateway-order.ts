import { type Family, familyOf, type IpAddress } from "../core/index.ts";
import type { EndpointRecord, NetworkRecord } from "./records.ts";

/** An endpoint that is in a sandbox, with its network. */
export interface Attachment {
  readonly endpoint: EndpointRecord;
  readonly network: NetworkRecord;
}

/**
 * Orders a sandbox's attachments: the first one that has a way out is the sandbox's. By priority, then those
 * of networks with a way out, then those with ways out in more families, then by the network's name; as
 * the reference does (LN §5.4).
 */
export function inGatewayOrder(attachments: readonly Attachment[]): readonly Attachment[] {
  return [...attachments].sort(
    (a, b) =>
      (b.endpoint.join?.priority ?? 0) - (a.endpoint.join?.priority ?? 0) ||
      Number(a.network.internal) - Number(b.network.internal) ||
      waysOf(b) - waysOf(a) ||
      compareText(a.network.name, b.network.name),
  );
}

/** A sandbox's way out for a family. */
export interface Way {
  readonly attachment: Attachment;
  /** Absent where the attachment's link itself is the way out. */
  readonly gateway: IpAddress | undefined;
}

/**
 * The attachment that is the way out for a family. `ordered` is in gateway order. None where one of a higher priority
 * than all that have a gateway takes its default route from a router on the wire: weft's would come before that.
 */
export function gatewayFor(ordered: readonly Attachment[], family: Family): Way | undefined {
  let advertised: number | undefined;
  for (const attachment of ordered) {
    const { priority = 0, answer } = attachment.endpoint.join ?? {};
    if (advertised !== undefined && priority < advertised) return undefined;
    const gateway = answer?.gateways.find((address) => familyOf(address) === family);
    if (gateway !== undefined || answer?.defaultOnLink?.includes(family)) return { attachment, gateway };
    if (answer?.advertised?.includes(family)) advertised = priority;
  }
  return undefined;
}

function waysOf({ endpoint }: Attachment): number {
  const { gateways = [], defaultOnLink = [] } = endpoint.join?.answer ?? {};
  return gateways.length + defaultOnLink.length;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
