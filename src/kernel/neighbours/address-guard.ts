import { type Clock, familyOf, type IpAddress, type MacAddress } from "../../core/index.ts";
import { isKernelError } from "../kernel-error.ts";
import type { Claim } from "./claims.ts";
import { probeFrame } from "./frames.ts";
import type { NeighbourEar } from "./neighbour-ear.ts";

/** How long what came may wait to be looked at, ms. */
export const stepMs = 10;

/** Stands up for addresses that nobody had when they were asked for, until the link that takes them does. */
export interface AddressGuard {
  /** Those of them that somebody else has, or is about to take, as far as was heard. */
  held(): readonly HeldAddress[];
  /** Listens no longer; calling it twice does no harm. */
  end(): void;
}

/** An address that somebody on the link has, or is about to take. */
export interface HeldAddress {
  readonly address: IpAddress;
  readonly mac: MacAddress;
}

/** A guard that hears nobody. */
export const noGuard: AddressGuard = { held: () => [], end: () => {} };

/**
 * Hears claims to addresses that a host asks for by the Ethernet address `mac`, and notes those of others than `ours`
 * in `held`. Of two that probe for one address at the same time the one with the lower Ethernet address may go on: RFC
 * 5227 §2.1.1 has both give up, and two hosts that give out addresses of one range, lowest first, would meet again at
 * each next one. The other is told so by one more probe, for it may have begun after the last one.
 */
export function hearClaims(
  ear: NeighbourEar,
  mac: MacAddress,
  ours: readonly MacAddress[],
  held: Map<IpAddress, MacAddress>,
): (claim: Claim) => void {
  return (claim) => {
    const { address } = claim;
    if (claim.mac === mac || ours.includes(claim.mac) || held.has(address)) return;
    if (claim.claim === "probes" && claim.mac > mac) ear.send(familyOf(address), probeFrame(mac, address));
    else held.set(address, claim.mac);
  };
}

/** Reads what comes until the signal ends it. Rejects with what the kernel refuses, or as the clock does. */
export async function keepListening(
  ear: NeighbourEar,
  clock: Pick<Clock, "sleep">,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    readUnlessLost(ear);
    await clock.sleep(stepMs, signal);
  }
}

/** Reads what came; nothing comes by a link that is down or away. Throws KernelError. */
export function readUnlessLost(ear: NeighbourEar): void {
  try {
    ear.read();
  } catch (error) {
    if (!isLinkLost(error)) throw error;
  }
}

/** True for what the kernel says of a link that went down or away. */
export function isLinkLost(error: unknown): boolean {
  return isKernelError(error, "ENETDOWN", "ENODEV", "ENXIO");
}
