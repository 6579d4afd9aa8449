import { type Family, familyOf, type IpAddress } from "../core/index.ts";
import type { EndpointRecord, NetworkRecord } from "./records.ts";

/** An endpoint that is in a sandbox, with its network. */
export interface Attachment {
  readonly endpoint: EndpointRecord;
  readonly network: NetworkRecord;
}

/**
 * Orders a sandbox's attachments: the first one with a gateway is the way out. By priority, then those
 * of networks with a way out, then those with gateways in more families, then by the network's name; as
 * the reference does (LN §5.4).
 */
export function inGatewayOrder(attachments: readonly Attachment[]): readonly Attachment[] {
  return [...attachments].sort(
    (a, b) =>
      (b.endpoint.join?.priority ?? 0) - (a.endpoint.join?.priority ?? 0) ||
      Number(a.network.internal) - Number(b.network.internal) ||
      gatewaysOf(b).length - gatewaysOf(a).length ||
      compareText(a.network.name, b.network.name),
  );
}

/** The attachment that is the way out for a family, and its gateway. `ordered` is in gateway order. */
export function gatewayFor(
  ordered: readonly Attachment[],
  family: Family,
): { readonly attachment: Attachment; readonly gateway: IpAddress } | undefined {
  for (const attachment of ordered) {
    const gateway = gatewaysOf(attachment).find((address) => familyOf(address) === family);
    if (gateway !== undefined) return { attachment, gateway };
  }
  return undefined;
}

function gatewaysOf({ endpoint }: Attachment): readonly IpAddress[] {
  return endpoint.join?.answer?.gateways ?? [];
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
