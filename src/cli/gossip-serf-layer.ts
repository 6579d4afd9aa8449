import { WeftError } from "../core/index.ts";
import { placeText, Serf, serfVersions } from "../gossip/index.ts";
import type { GossipLayer, LayerInit } from "./gossip-layer.ts";

/** The layer that takes part in a cluster of Serf's agents. */
export function serfLayer(init: LayerInit): GossipLayer {
  const serf = new Serf(init);
  return {
    delegate: serf,
    versions: serfVersions,
    attach: (membership) => serf.attach(membership),
    begin: () => {},
    join: (places) => serf.join(places),
    leave: (timeout) => serf.leave(timeout),
    members: () =>
      serf.list().map(({ member, status, tags }) => ({
        Name: member.name,
        Address: placeText(member),
        Status: status,
        Tags: Object.fromEntries(tags),
      })),
    keys: (operation, key) => serf.keys(operation, key),
    tables: () => {
      throw new WeftError(
        "INVALID_OPTION",
        "this agent runs in Serf mode, which has no tables: start it with --mode networkdb",
      );
    },
    close: () => serf.close(),
  };
}
