import type { Controller } from "../cnm/index.ts";
import { bridgeOption } from "../drivers/index.ts";
import type { WireNetwork } from "./underlay-findings.ts";

/** The controller's networks that meet the wire. */
export function wireNetworksOf(controller: Pick<Controller, "networks">): readonly WireNetwork[] {
  return controller.networks().flatMap((network) => {
    const underlay = network.underlay();
    if (underlay === undefined) return [];
    const mtu = Number(network.info().options[bridgeOption.mtu] ?? 0); // one option for all drivers; 0 is none
    return [{ name: network.name, underlay, mtu: mtu === 0 ? undefined : mtu }];
  });
}
