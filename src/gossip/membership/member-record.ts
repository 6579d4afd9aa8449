import { addressFromBytes, type IpAddress, isIpv4 } from "../../core/index.ts";
import type { Member, MemberState } from "../cluster.ts";

/** What a node knows of a member. Never changed, only replaced. */
export interface MemberRecord extends Member {
  readonly incarnation: number;
  /** `address` as 4 or 16 bytes. */
  readonly addressBytes: Uint8Array;
  /** See {@link Versions}; empty when it never told. */
  readonly versions: Uint8Array;
  /** When it came into its state, ms of the monotonic time. */
  readonly changedAt: number;
}

/** The states in the order of their numbers on the wire. */
const states: readonly MemberState[] = ["alive", "suspect", "dead", "left"];

export function stateNumber(state: MemberState): number {
  return states.indexOf(state);
}

/** Undefined for a number that no state has. */
export function stateOf(number: number): MemberState | undefined {
  return states[number];
}

/** Dead or left. */
export function isGone({ state }: Member): boolean {
  return state === "dead" || state === "left";
}

const mappedPrefix = Buffer.from("00000000000000000000ffff", "hex");

/** The address that a peer wrote: 4 or 16 bytes, an IPv4 one perhaps as 16. Undefined for another length. */
export function readAddress(bytes: Uint8Array): { address: IpAddress; bytes: Uint8Array } | undefined {
  const isMapped = bytes.length === 16 && mappedPrefix.compare(bytes, 0, 12) === 0;
  const plain = isMapped ? bytes.subarray(12) : bytes;
  if (plain.length !== 4 && plain.length !== 16) return undefined;
  return { address: addressFromBytes(plain), bytes: plain };
}

/** True when the two hold the same bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** True when a record has the address that a peer wrote. */
export function hasAddress({ addressBytes, address }: MemberRecord, bytes: Uint8Array): boolean {
  if (sameBytes(addressBytes, bytes)) return true;
  return bytes.length === 16 && isIpv4(address) && readAddress(bytes)?.address === address;
}
