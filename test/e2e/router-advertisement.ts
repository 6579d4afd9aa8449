import type { TestNetns } from "../netns-fixture.ts";
import {
  type Advertised,
  allNodes,
  frame,
  onLinkHopLimit,
  packet,
  RawLink,
  routerAdvertisement,
} from "../packets/index.ts";
import { linkLocalOf } from "./sandbox-addresses.ts";

/** Sends a router advertisement out of a link of `netns`: whoever hears it may send everything this way for 30 minutes. */
export function advertiseRouter(
  netns: TestNetns,
  name: string,
  more: Omit<Advertised, "lifetimeSeconds"> = {},
): void {
  const source = linkLocalOf(netns, name);
  const link = RawLink.open(netns.path, name);
  try {
    const route = { source, target: allNodes.address, hopLimit: onLinkHopLimit };
    const message = routerAdvertisement({ lifetimeSeconds: 1800, ...more });
    link.send(frame({ from: link.mac, to: allNodes.mac }, packet(route, message)));
  } finally {
    void link.close();
  }
}
