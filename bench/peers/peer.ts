import type { Path } from "./lan.ts";
import type { Contestant } from "./row.ts";

/** A container network fabric under measurement: weft itself, or one that others made. */
export interface Peer {
  readonly name: string;
  /** As the peer itself tells it. */
  readonly version: string;
  createNetwork(name: string): Promise<PeerNetwork>;
  /** Makes a sandbox (a container that runs) with an endpoint on `network`. `ports` as Docker writes them, `8000-8099:8000-8099`. */
  startSandbox(
    name: string,
    network: Pick<PeerNetwork, "name">,
    ports?: readonly string[],
  ): Promise<PeerSandbox>;
  /** Resolves when nothing that was asked for is still on its way out. */
  settled(): Promise<void>;
  /** Ends it with all that it made. */
  close(): Promise<void>;
}

/** A bridge network of a peer. */
export interface PeerNetwork {
  readonly name: string;
  delete(): Promise<void>;
}

/** A container, or what stands for one. */
export interface PeerSandbox {
  /** A path to its network namespace. */
  netns(): Promise<string>;
  /** Its IPv4 address on the network that it was started with. */
  address(): Promise<string>;
  connect(network: Pick<PeerNetwork, "name">): Promise<PeerConnection>;
  delete(): Promise<void>;
}

/** An endpoint in a sandbox. */
export interface PeerConnection {
  disconnect(): Promise<void>;
}

/** A peer's host on the lan, and the way from the neighbour to it. */
export interface Host {
  readonly peer: Peer;
  readonly path: Path;
}

/** Who is measured, by the name of their column. */
export type Hosts = ReadonlyMap<Contestant, Host>;
