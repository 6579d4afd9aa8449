import { WeftError } from "../../core/index.ts";

/** The protocol versions that a node can speak and speaks, of memberlist's own protocol and of the layer above. */
export interface Versions {
  readonly protocol: VersionRange;
  readonly delegate: VersionRange;
}

export interface VersionRange {
  readonly min: number;
  readonly max: number;
  readonly current: number;
}

/** What this implementation understands (gossip.md B.7). */
export const protocolMin = 1;
export const protocolMax = 5;
/** What it speaks unless told otherwise, as memberlist does; newer features depend on what the peer understands. */
export const protocolDefault = 2;
/** From these versions of a peer on: TCP pings, nacks of indirect probes, CRC headers. */
export const tcpPingSince = 3;
export const nackSince = 4;
export const crcSince = 5;

/** The six bytes that alive messages carry. */
export function versionBytes({ protocol, delegate }: Versions): Uint8Array {
  return Uint8Array.of(
    protocol.min,
    protocol.max,
    protocol.current,
    delegate.min,
    delegate.max,
    delegate.current,
  );
}

/** The newest memberlist protocol that a node with these version bytes understands; 0 when it told none. */
export function protocolMaxOf(versions: Uint8Array): number {
  return versions[1] ?? 0;
}

/** True when the bytes make no sense; a node that sends none is old, which is none of its fault. */
export function areBadVersions(versions: Uint8Array): boolean {
  if (versions.length === 0) return false;
  const [min = 0, max = 0] = versions;
  return min === 0 || max === 0 || min > max;
}

/**
 * Holds that every node's current versions lie in what all of them understand. `all` are the versions of the living
 * nodes of both sides of a push/pull, by name. Throws GOSSIP_PROTOCOL.
 */
export function verifyVersions(
  all: readonly { readonly name: string; readonly versions: Uint8Array }[],
): void {
  const known = all.filter(({ versions }) => versions.length >= 6);
  for (const [what, at] of [
    ["protocol", 0],
    ["delegate protocol", 3],
  ] as const) {
    const least = Math.max(0, ...known.map(({ versions }) => versions[at] ?? 0));
    const most = Math.min(255, ...known.map(({ versions }) => versions[at + 1] ?? 0));
    for (const { name, versions } of known) {
      const current = versions[at + 2] ?? 0;
      if (current < least || current > most)
        throw new WeftError(
          "GOSSIP_PROTOCOL",
          `node ${JSON.stringify(name)} speaks ${what} ${current}: all understand ${least} to ${most}`,
        );
    }
  }
}
