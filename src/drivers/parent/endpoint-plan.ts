import { addressPart } from "../../core/index.ts";
import type { Effect, KernelObject } from "../../kernel/index.ts";
import type { Wanted } from "../../plan/index.ts";
import type { DriverEndpoint, DriverJoin, DriverNetwork } from "../contract.ts";
import { advertisedSysctls, ipv6Sysctls } from "../ipv6-sysctls.ts";
import { listensToRouters } from "./advertised.ts";
import type { ParentAnswer } from "./answer.ts";
import type { EndpointKind } from "./parent-options.ts";

/** What the endpoints of one network have in common. */
export interface EndpointPlanInit {
  readonly parent: ParentAnswer;
  readonly ipv6Available: boolean;
  readonly ranksAdvertisedRoutes: boolean;
  readonly kind: EndpointKind;
  /** Bytes. */
  readonly mtu: number;
}

/** What the host must hold for an endpoint that is in a sandbox: a link that is born there, on its parent. */
export function planEndpointOnParent(
  network: DriverNetwork,
  endpoint: DriverEndpoint,
  { netns, ifname }: DriverJoin,
  init: EndpointPlanInit,
): readonly Wanted[] {
  const { parent, kind, mtu } = init;
  const mac = kind.ownMac ? endpoint.macAddress : undefined;
  const link: KernelObject = { kind: "link", netns, name: ifname, spec: kind.spec(parent.link), mtu, mac };
  const announce: Effect = {
    effect: "announce",
    netns,
    link: ifname,
    mac,
    addresses: endpoint.addresses.map((address) => addressPart(address)),
  };
  return [
    { object: link },
    ...sysctlsOf(network, netns, ifname, init).map((object) => ({ object })),
    ...endpoint.addresses.map((address) => ({
      object: { kind: "address", netns, link: ifname, address } satisfies KernelObject,
    })),
    // From here on its addresses answer.
    { object: { kind: "up", netns, link: ifname }, effects: kind.onWire ? [announce] : [] },
  ];
}

function sysctlsOf(
  network: DriverNetwork,
  netns: string,
  ifname: string,
  { ipv6Available, ranksAdvertisedRoutes, kind, mtu }: EndpointPlanInit,
): readonly KernelObject[] {
  if (!ipv6Available) return [];
  return listensToRouters(network, kind)
    ? advertisedSysctls(netns, ifname, ranksAdvertisedRoutes)
    : ipv6Sysctls(netns, ifname, network.ipv6, mtu);
}
