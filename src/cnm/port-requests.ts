import { addressPart, type Family, familyOf, type IpAddress } from "../core/index.ts";
import type { Driver, Publication, Publishing } from "../drivers/index.ts";
import {
  isUnspecified,
  type PortBinding,
  type PortProtocol,
  type PortRequest,
  type PortSpec,
  type PublishedPort,
} from "../ports/index.ts";
import { driverNetwork } from "./driver-views.ts";
import { type Attachment, gatewayFor } from "./gateway-order.ts";
import type { NetworkRecord, SandboxRecord } from "./records.ts";

/** The driver of a network; undefined when there is none. */
export type DriverOf = (network: NetworkRecord) => Driver | undefined;

/** One family's way into a sandbox from outside: through the endpoint that is its way out. */
interface WayIn {
  readonly mode: Publishing["mode"][Family];
  readonly attachment?: Attachment;
  readonly hostAddress?: IpAddress | undefined;
}

type WaysIn = Readonly<Record<Family, WayIn>>;

const otherFamily: Readonly<Record<Family, Family>> = { 4: 6, 6: 4 };
const unspecified: Readonly<Record<Family, IpAddress>> = {
  4: "0.0.0.0" as IpAddress, // the literals are addresses
  6: "::" as IpAddress,
};

/** How a sandbox's ports come to it. `ordered` are its attachments in gateway order. */
export function waysIn(ordered: readonly Attachment[], driverOf: DriverOf): WaysIn {
  const way = (family: Family): WayIn => {
    const attachment = gatewayFor(ordered, family)?.attachment;
    if (attachment === undefined) return { mode: "none" };
    const publishing = driverOf(attachment.network)?.publishing?.(driverNetwork(attachment.network));
    if (publishing === undefined) return { mode: "none" };
    return { mode: publishing.mode[family], attachment, hostAddress: publishing.hostAddress };
  };
  return { 4: way(4), 6: way(6) };
}

/** The ports of the host that a sandbox needs, with those that it has already where they still fit. */
export function portRequests(sandbox: SandboxRecord, ways: WaysIn): readonly PortRequest[] {
  const requests: PortRequest[] = [];
  // Most specs name no address of the host; then it is the same ones for all of a protocol.
  const unnamed = new Map<PortProtocol, readonly IpAddress[]>();
  for (const spec of sandbox.ports) {
    let hostAddresses = spec.hostAddress === undefined ? unnamed.get(spec.protocol) : undefined;
    if (hostAddresses === undefined) {
      hostAddresses = hostAddressesFor(spec, ways, sandbox.ipv6);
      if (spec.hostAddress === undefined) unnamed.set(spec.protocol, hostAddresses);
    }
    if (hostAddresses.length > 0) requests.push({ spec, hostAddresses });
  }
  return requests;
}

/** The addresses of the host that a port is to be bound on, all of them at the same port. */
function hostAddressesFor(
  { protocol, hostAddress }: Pick<PortSpec, "protocol" | "hostAddress">,
  ways: WaysIn,
  hostHasIpv6: boolean,
): readonly IpAddress[] {
  const serves = (family: Family) => servedBy(family, protocol, ways) !== undefined;
  if (hostAddress !== undefined) return serves(familyOf(hostAddress)) ? [hostAddress] : [];
  const named = ways[4].hostAddress ?? ways[6].hostAddress;
  if (named !== undefined && !isUnspecified(named)) return serves(familyOf(named)) ? [named] : [];
  const families = hostHasIpv6 ? ([4, 6] as const) : ([4] as const);
  return families.filter(serves).map((family) => unspecified[family]);
}

/**
 * The family of the sandbox's address that what comes to a host's address of `family` goes to: the same
 * where that is rewritten, else the other one, by the proxy, which does not know SCTP.
 */
function servedBy(family: Family, protocol: PortProtocol, ways: WaysIn): Family | undefined {
  const mode = ways[family].mode;
  if (mode === "nat") return family;
  const other = otherFamily[family];
  return mode === "none" && ways[other].mode === "nat" && protocol !== "sctp" ? other : undefined;
}

/** A way in, and what goes through it. */
export interface WayPublication {
  readonly attachment: Attachment;
  readonly publication: Publication;
}

/** What of a sandbox is published through which of its endpoints. `bindings` are those that are in force. */
export function publicationsOf(
  sandbox: SandboxRecord,
  bindings: readonly PortBinding[],
  ways: WaysIn,
): readonly WayPublication[] {
  const found = new Map<string, WayPublication>();
  for (const family of [4, 6] as const) {
    const { attachment } = ways[family];
    if (attachment === undefined || sandbox.ports.length === 0) continue;
    const { endpoint } = attachment;
    const before = found.get(endpoint.id)?.publication;
    const target = endpoint.addresses
      .map((one) => addressPart(one.address))
      .find((one) => familyOf(one) === family);
    const translated: PublishedPort[] = [...(before?.translated ?? [])];
    if (target !== undefined)
      for (const { protocol, hostAddress, hostPort, port } of bindings)
        if (servedBy(familyOf(hostAddress), protocol, ways) === family)
          translated.push({ protocol, hostAddress, hostPort, target, port });
    found.set(endpoint.id, {
      attachment,
      publication: {
        translated,
        open: sandbox.ports,
        families: [...(before?.families ?? []), family],
      },
    });
  }
  return [...found.values()];
}
