import { Allowance } from "./allowance.ts";
import { BulkSyncs } from "./bulk-syncs.ts";
import type { DbState } from "./db-state.ts";
import { Dissemination } from "./dissemination.ts";
import { Inbox } from "./inbox.ts";
import { NetworkEvents } from "./network-events.ts";
import { NodeEvents } from "./node-events.ts";
import { TableEvents } from "./table-events.ts";
import { every } from "./ticker.ts";

/** How much of others' wrong beliefs about this node is put right in one second. */
const refutationsPerSecond = 4096;

/** All that there is once the cluster is known. */
export interface Running {
  readonly state: DbState;
  readonly dissemination: Dissemination;
  readonly bulkSyncs: BulkSyncs;
  readonly tableEvents: TableEvents;
  readonly networkEvents: NetworkEvents;
  readonly nodeEvents: NodeEvents;
  readonly inbox: Inbox;
  readonly tickers: readonly (() => void)[];
}

/** Wires the parts together, takes what membership knows already, and begins to tick. */
export function begin(state: DbState): Running {
  const { environment, options, cluster, nodes } = state;
  const refutations = new Allowance(environment.timers, refutationsPerSecond);
  const dissemination = new Dissemination(state);
  const bulkSyncs = new BulkSyncs(state);
  const tableEvents = new TableEvents(state, dissemination, refutations);
  const networkEvents = new NetworkEvents(state, tableEvents, refutations, (network) =>
    bulkSyncs.memberCame(network),
  );
  const nodeEvents = new NodeEvents(state, tableEvents, networkEvents, refutations, (node) =>
    bulkSyncs.returned(node),
  );
  const inbox = new Inbox(state, { nodeEvents, networkEvents, tableEvents, bulkSyncs });
  nodes.addSelf(state.self, state.now());
  for (const member of cluster.members()) nodeEvents.joined(member);
  nodeEvents.announce("join");
  const tickers = [
    every(environment, options.gossipInterval, () => dissemination.tick()),
    every(environment, options.bulkSyncInterval, () => void bulkSyncs.compare()),
    every(environment, options.reapInterval, () => {
      const now = state.now();
      nodeEvents.reap(now);
      for (const { id, tables } of state.networks.values()) {
        tables.reap(now);
        bulkSyncs.memberCame(id);
      }
    }),
  ];
  return { state, dissemination, bulkSyncs, tableEvents, networkEvents, nodeEvents, inbox, tickers };
}
