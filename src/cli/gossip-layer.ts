import { WeftError } from "../core/index.ts";
import type {
  ClusterDelegate,
  Environment,
  KeyAnswers,
  KeyOperation,
  Keyring,
  Membership,
  Place,
} from "../gossip/index.ts";
import { Serf } from "../gossip/index.ts";

/** One line of the listing of members, with the columns of `serf members`. */
export interface MemberLine {
  readonly name: string;
  /** ADDRESS:PORT. */
  readonly address: string;
  readonly status: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** One entry of a network's table. */
export interface TableLine {
  readonly network: string;
  readonly table: string;
  readonly key: string;
  /** The node that wrote it. */
  readonly owner: string;
  /** In hexadecimal. */
  readonly value: string;
}

/** What rides on membership in one of the agent's modes; never two of them in one cluster. */
export interface GossipLayer {
  readonly delegate: ClusterDelegate;
  attach(membership: Membership): void;
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

/** The layer that takes part in a cluster of Serf's agents. */
export function serfLayer(init: LayerInit): GossipLayer {
  const serf = new Serf(init);
  return {
    delegate: serf,
    attach: (membership) => serf.attach(membership),
    join: (places) => serf.join(places),
    leave: (timeout) => serf.leave(timeout),
    members: () =>
      serf.list().map(({ member, status, tags }) => ({
        name: member.name,
        address: `${member.address.includes(":") ? `[${member.address}]` : member.address}:${member.port}`,
        status,
        tags: Object.fromEntries(tags),
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
