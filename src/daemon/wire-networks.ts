import type { Controller } from "../cnm/index.ts";
import type { WireNetwork } from "./underlay-findings.ts";

/** The controller's networks that meet the wire. */
export function wireNetworksOf(controller: Pick<Controller, "networks">): readonly WireNetwork[] {
  return controller.networks().flatMap((network) => {
    const underlay = network.underlay();
    if (underlay === undefined) return [];
    return [{ name: network.name, underlay, joined: network.joined }];
  });
}
