import { WeftError } from "../../core/index.ts";
import type { ClusterDelegate } from "../cluster.ts";
import type { Environment } from "../environment.ts";
import type { Transport } from "../transport/index.ts";
import { type Envelope, type Keyring, labelOf, wireLimits } from "../wire/index.ts";
import type { MembershipHooks } from "./hooks.ts";
import type { GossipProfile } from "./profile.ts";
import { protocolDefault, protocolMax, protocolMin, type VersionRange, type Versions } from "./versions.ts";

/** What a node is made with. */
export interface MembershipInit {
  /** Unique in the cluster, 1 to 255 bytes. */
  readonly name: string;
  /** The node's from now on: closed with it. */
  readonly transport: Transport;
  readonly environment: Environment;
  /** {@link lanProfile} without one. */
  readonly profile?: GossipProfile;
  /** Encrypts everything. The caller may install, use and remove keys at any time. */
  readonly keyring?: Keyring | undefined;
  /** False while a cluster is on its way to encryption: takes what no key opens, too. */
  readonly verifyIncoming?: boolean;
  /** False likewise: sends plain. */
  readonly verifyOutgoing?: boolean;
  /** Keeps clusters apart that can reach each other; at most 255 bytes. */
  readonly label?: string;
  /** Something in front of this node strips the labels. */
  readonly skipInboundLabelCheck?: boolean;
  /** Compresses what is sent, which saves bytes and costs time; off without it. */
  readonly compress?: boolean;
  /** memberlist's protocol that is spoken, 1 to 5; 2 without one. */
  readonly protocol?: number;
  /** The versions of the layer above; 0, 0, 0 without them. */
  readonly delegateVersions?: VersionRange;
  readonly delegate?: ClusterDelegate;
  readonly hooks?: MembershipHooks;
  /** Members beyond this are not taken in; 65,536 without it. */
  readonly maxMembers?: number;
}

/** How packets are wrapped, as `init` says. Throws INVALID_OPTION for a bad label. */
export function envelopeOf(init: MembershipInit): Envelope {
  return {
    label: labelOf(init.label ?? ""),
    skipInboundLabelCheck: init.skipInboundLabelCheck ?? false,
    keyring: init.keyring,
    verifyIncoming: init.verifyIncoming ?? true,
    verifyOutgoing: init.verifyOutgoing ?? true,
    compress: init.compress ?? false,
    sealVersion: init.protocol === 1 ? 0 : 1,
  };
}

/** What the node tells of its versions. Throws INVALID_OPTION. */
export function versionsOf({ protocol = protocolDefault, delegateVersions }: MembershipInit): Versions {
  if (!Number.isInteger(protocol) || protocol < protocolMin || protocol > protocolMax)
    throw new WeftError(
      "INVALID_OPTION",
      `gossip protocol ${protocol}: it should be from ${protocolMin} to ${protocolMax}`,
    );
  return {
    protocol: { min: protocolMin, max: protocolMax, current: protocol },
    delegate: delegateVersions ?? { min: 0, max: 0, current: 0 },
  };
}

/** Throws INVALID_NAME. */
export function checkName(name: string): void {
  const length = Buffer.byteLength(name);
  if (length === 0 || length > wireLimits.name)
    throw new WeftError(
      "INVALID_NAME",
      `node name of ${length} bytes: it should have 1 to ${wireLimits.name}`,
    );
}
