import type {
  ClusterDelegate,
  Environment,
  KeyAnswers,
  KeyOperation,
  Keyring,
  Membership,
  Place,
  VersionRange,
} from "../gossip/index.ts";

/** One line of the listing of members, with the columns of `serf members`. */
export interface MemberLine {
  readonly Name: string;
  /** ADDRESS:PORT. */
  readonly Address: string;
  readonly Status: string;
  readonly Tags: Readonly<Record<string, string>>;
}

/** One entry of a network's table. */
export interface TableLine {
  readonly Network: string;
  readonly Table: string;
  readonly Key: string;
  /** The node that wrote it. */
  readonly Owner: string;
  /** In hexadecimal. */
  readonly Value: string;
}

/** What rides on membership in one of the agent's modes; never two of them in one cluster. */
export interface GossipLayer {
  readonly delegate: ClusterDelegate;
  readonly versions: VersionRange;
  /** Before the node is started. */
  attach(membership: Membership): void;
  /** After the node was started. */
  begin(): void;
  join(places: readonly Place[]): Promise<number>;
  /** Within `timeout` ms. */
  leave(timeout: number): Promise<void>;
  members(): readonly MemberLine[];
  keys(operation: KeyOperation, key: Uint8Array): Promise<KeyAnswers>;
  tables(): readonly TableLine[];
  close(): void;
}

/** What a layer is made with. */
export interface LayerInit {
  readonly environment: Environment;
  readonly tags: ReadonlyMap<string, string>;
  readonly keyring: Keyring | undefined;
  readonly keysChanged: () => void;
}
