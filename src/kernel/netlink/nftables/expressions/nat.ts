import { attribute } from "../../attributes.ts";
import type { Codec } from "../../wire.ts";
import { u32be } from "../../wire.ts";
import { exactly, required } from "../exact.ts";
import { type Register, register } from "../registers.ts";
import { compact, flagBits, flagNames, symbol } from "../symbols.ts";
import { expressionCodec } from "./codec.ts";

/** NF_NAT_RANGE_* that are choices; include/uapi/linux/netfilter/nf_nat.h. */
const natFlags = { random: 4, persistent: 8, "fully-random": 16, netmap: 64 } as const;
/** MAP_IPS and PROTO_SPECIFIED only say which registers are given; the kernel adds them itself. */
const impliedFlags = 1 | 2;

/** How a port or address is chosen out of several. */
export type NatFlag = keyof typeof natFlags;

const flagsCodec: Codec<readonly NatFlag[]> = {
  write: (writer, names) => u32be.write(writer, flagBits(natFlags, names)),
  read: (bytes) => flagNames(natFlags, u32be.read(bytes) & ~impliedFlags),
};

/** Rewrites source or destination. Without address or port that part is kept. */
export interface Nat {
  readonly kind: "nat";
  readonly type: "snat" | "dnat";
  readonly family: "ip" | "ip6";
  readonly address?: Register;
  /** End of a range of addresses that begins at `address`. */
  readonly addressEnd?: Register;
  readonly port?: Register;
  /** End of a range of ports that begins at `port`. */
  readonly portEnd?: Register;
  readonly flags?: readonly NatFlag[];
}

/** Rewrites the source to the address of the interface that the packet leaves by. */
export interface Masquerade {
  readonly kind: "masquerade";
  readonly port?: Register;
  readonly portEnd?: Register;
  readonly flags?: readonly NatFlag[];
}

/** Rewrites the destination to the host itself. */
export interface Redirect {
  readonly kind: "redirect";
  readonly port?: Register;
  readonly portEnd?: Register;
  readonly flags?: readonly NatFlag[];
}

/** The kernel dumps the end of a range that is a single value as its beginning once more. */
function end(from: Register | undefined, to: Register | undefined): Register | undefined {
  return to === from ? undefined : to;
}

function some(flags: readonly NatFlag[] | undefined): readonly NatFlag[] | undefined {
  return flags === undefined || flags.length === 0 ? undefined : flags;
}

/** NFTA_NAT_*. */
export const natCodec = expressionCodec(
  "nat",
  exactly({
    type: attribute(1, symbol({ snat: 0, dnat: 1 })),
    family: attribute(2, symbol({ ip: 2, ip6: 10 })),
    address: attribute(3, register),
    addressEnd: attribute(4, register),
    port: attribute(5, register),
    portEnd: attribute(6, register),
    flags: attribute(7, flagsCodec),
  }),
  (e: Nat) => e,
  (wire): Nat => ({
    kind: "nat",
    type: required(wire.type, "NFTA_NAT_TYPE"),
    family: required(wire.family, "NFTA_NAT_FAMILY"),
    ...compact({
      address: wire.address,
      addressEnd: end(wire.address, wire.addressEnd),
      port: wire.port,
      portEnd: end(wire.port, wire.portEnd),
      flags: some(wire.flags),
    }),
  }),
);

/** NFTA_MASQ_*. */
export const masqueradeCodec = expressionCodec(
  "masq",
  exactly({ flags: attribute(1, flagsCodec), port: attribute(2, register), portEnd: attribute(3, register) }),
  (e: Masquerade) => e,
  (wire): Masquerade => ({
    kind: "masquerade",
    ...compact({ port: wire.port, portEnd: end(wire.port, wire.portEnd), flags: some(wire.flags) }),
  }),
);

/** NFTA_REDIR_*. */
export const redirectCodec = expressionCodec(
  "redir",
  exactly({ port: attribute(1, register), portEnd: attribute(2, register), flags: attribute(3, flagsCodec) }),
  (e: Redirect) => e,
  (wire): Redirect => ({
    kind: "redirect",
    ...compact({ port: wire.port, portEnd: end(wire.port, wire.portEnd), flags: some(wire.flags) }),
  }),
);
