import { WeftError } from "../core/index.ts";
import type { CapabilityInit } from "./command.ts";

/** Every capability, at the place of its number: include/uapi/linux/capability.h. */
export const capabilityNames = [
  "CHOWN",
  "DAC_OVERRIDE",
  "DAC_READ_SEARCH",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETPCAP",
  "LINUX_IMMUTABLE",
  "NET_BIND_SERVICE",
  "NET_BROADCAST",
  "NET_ADMIN",
  "NET_RAW",
  "IPC_LOCK",
  "IPC_OWNER",
  "SYS_MODULE",
  "SYS_RAWIO",
  "SYS_CHROOT",
  "SYS_PTRACE",
  "SYS_PACCT",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_NICE",
  "SYS_RESOURCE",
  "SYS_TIME",
  "SYS_TTY_CONFIG",
  "MKNOD",
  "LEASE",
  "AUDIT_WRITE",
  "AUDIT_CONTROL",
  "SETFCAP",
  "MAC_OVERRIDE",
  "MAC_ADMIN",
  "SYSLOG",
  "WAKE_ALARM",
  "BLOCK_SUSPEND",
  "AUDIT_READ",
  "PERFMON",
  "BPF",
  "CHECKPOINT_RESTORE",
] as const;

/** What a command may do when nothing else is asked for: Docker's set (docs.docker.com, "Runtime privilege and Linux capabilities"). */
export const defaultCapabilities: readonly string[] = [
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "NET_RAW",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
];

/** Capabilities to give, as sets of bits. */
export interface CapabilityOrder {
  /** Those that must be there. */
  readonly required: bigint;
  /** Those that are given when weft has them. */
  readonly wanted: bigint;
}

/** Bits for capabilities that have no name yet, which `ALL` means too. */
const everyBit = (1n << 64n) - 1n;

/**
 * What a command may do: the default set, or `base`, without `drop` and with `add`, as Docker reckons: a name in
 * both is added; `add` of `ALL` is everything but what is dropped; `drop` of `ALL` leaves what is added. Throws
 * INVALID_CAPABILITY.
 */
export function capabilityOrder(
  init: CapabilityInit,
  base: bigint = bitsOf(defaultCapabilities),
): CapabilityOrder {
  const added = parseNames("CapAdd", init.add ?? []);
  const dropped = parseNames("CapDrop", init.drop ?? []);
  const required = bitsOf(added.names);
  const without = ~bitsOf(dropped.names);
  if (added.all) return { required: required & without, wanted: everyBit & without };
  return { required, wanted: (dropped.all ? 0n : base & without) | required };
}

/** All that weft itself may do. */
export const everyCapability: CapabilityOrder = { required: 0n, wanted: everyBit };

/** Sets as texts, which JSON can hold. */
export interface EncodedCapabilities {
  readonly required: string;
  readonly wanted: string;
}

/** The order as JSON can hold it. */
export function encodeCapabilities({ required, wanted }: CapabilityOrder): EncodedCapabilities {
  return { required: String(required), wanted: String(wanted) };
}

/** {@link encodeCapabilities} undone. */
export function decodeCapabilities({ required, wanted }: EncodedCapabilities): CapabilityOrder {
  return { required: BigInt(required), wanted: BigInt(wanted) };
}

/** The names of the capabilities in a set, as they are written. */
export function namesOf(bits: bigint): string[] {
  return capabilityNames.flatMap((name, number) => ((bits >> BigInt(number)) & 1n ? [`CAP_${name}`] : []));
}

interface ParsedNames {
  readonly all: boolean;
  readonly names: readonly string[];
}

function parseNames(option: string, texts: readonly string[]): ParsedNames {
  const names = texts.map((text) => text.toUpperCase().replace(/^CAP_/, ""));
  const unknown = names.find((name) => name !== "ALL" && numberOf(name) < 0);
  if (unknown !== undefined) {
    throw new WeftError(
      "INVALID_CAPABILITY",
      `invalid ${option}: unknown capability: ${JSON.stringify(`CAP_${unknown}`)}`,
    );
  }
  return { all: names.includes("ALL"), names: names.filter((name) => name !== "ALL") };
}

function bitsOf(names: readonly string[]): bigint {
  return names.reduce((bits, name) => bits | (1n << BigInt(numberOf(name))), 0n);
}

/** The number of a capability; -1 for what is none. */
function numberOf(name: string): number {
  const names: readonly string[] = capabilityNames;
  return names.indexOf(name);
}
