/**
 * How a network database behaves. The defaults are those of libnetwork's NetworkDB where it has such a value
 * (libnetwork.md §9.2); times are ms.
 */
export interface NetworkDbOptions {
  /** The longest message for one packet, bytes: 1,400 less what membership puts around it, its label too. */
  readonly packetBytes: number;
  /** How often what waits is gossiped, on each network. */
  readonly gossipInterval: number;
  /** To how many of a network's members, each time. */
  readonly gossipNodes: number;
  /** A message is given out this times ceil(log10(N + 1)) times on a network of N. */
  readonly retransmitMultiplier: number;
  /** How many packets each of them is sent at a time, when much waits. */
  readonly packetsPerTick: number;
  /** The shortest time between two sendings of local writes that do not wait for the interval. */
  readonly promptGap: number;
  /** How often all entries are compared with those of one other member of each network. */
  readonly bulkSyncInterval: number;
  /** How long the answer to a bulk sync, or its next piece, may take before another member is asked. */
  readonly bulkSyncTimeout: number;
  /** How many of a network's members are asked at once when this node comes to it. */
  readonly joinSyncPeers: number;
  /** How much of a network is sent in one piece, bytes. */
  readonly bulkSyncPieceBytes: number;
  /** How often what is due to be forgotten is looked for. */
  readonly reapInterval: number;
  /** How long a deleted entry is remembered, and the entries of a failed node are kept, hidden. */
  readonly tombstoneTime: number;
  /** How long it is remembered that a node left a network; longer than `tombstoneTime`. */
  readonly leftNetworkTime: number;
  /** How long a failed node or one that left is remembered. */
  readonly nodeTime: number;
  /** The longest name of a node, network or table, and the longest key, UTF-16 units. */
  readonly maxNameLength: number;
  readonly maxKeyLength: number;
  readonly maxValueBytes: number;
  /** How many entries, with tombstones, are kept of one network. */
  readonly maxEntries: number;
  /** On how many networks one node can be. */
  readonly maxNetworks: number;
  /** How many messages may wait to be gossiped on one network, or in the cluster. */
  readonly maxQueued: number;
}

/** See {@link NetworkDbOptions}. */
export const defaultOptions: NetworkDbOptions = {
  packetBytes: 1350,
  gossipInterval: 200,
  gossipNodes: 3,
  retransmitMultiplier: 4,
  packetsPerTick: 8,
  promptGap: 10,
  bulkSyncInterval: 30_000,
  bulkSyncTimeout: 10_000,
  joinSyncPeers: 4,
  bulkSyncPieceBytes: 256 * 1024,
  reapInterval: 5_000,
  tombstoneTime: 30 * 60_000,
  leftNetworkTime: 30 * 60_000 + 25_000,
  nodeTime: 24 * 3_600_000,
  maxNameLength: 255,
  maxKeyLength: 1024,
  maxValueBytes: 65_536,
  maxEntries: 1_000_000,
  maxNetworks: 16_384,
  maxQueued: 16_384,
};

/** From a sync on, no more than so many of others' events wait to be passed on (maxQueueLenBroadcastOnSync). */
export const maxQueuedFromSync = 500;
