import { attribute } from "../../attributes.ts";
import { u32be } from "../../wire.ts";
import { exactly, required } from "../exact.ts";
import { type Register, register } from "../registers.ts";
import { compact, symbol } from "../symbols.ts";
import { expressionCodec, unless } from "./codec.ts";

/** Loads a property of the socket that the packet is for. */
export interface Socket {
  readonly kind: "socket";
  readonly key: "transparent" | "mark" | "wildcard" | "cgroupv2";
  /** For cgroupv2: the ancestor's depth. */
  readonly level?: number;
  readonly into: Register;
}

/** Gives the packet to a transparent socket on this host without rewriting it. */
export interface TransparentProxy {
  readonly kind: "tproxy";
  readonly family: "inet" | "ip" | "ip6";
  readonly address?: Register;
  readonly port?: Register;
}

/** NFTA_SOCKET_*. */
export const socketCodec = expressionCodec(
  "socket",
  exactly({
    key: attribute(1, symbol({ transparent: 0, mark: 1, wildcard: 2, cgroupv2: 3 })),
    dreg: attribute(2, register),
    level: attribute(3, u32be),
  }),
  (e: Socket) => ({ key: e.key, dreg: e.into, level: e.level }),
  (wire): Socket => ({
    kind: "socket",
    key: required(wire.key, "NFTA_SOCKET_KEY"),
    into: required(wire.dreg, "NFTA_SOCKET_DREG"),
    ...compact({ level: unless(wire.level, 0) }),
  }),
);

/** NFTA_TPROXY_*. */
export const transparentProxyCodec = expressionCodec(
  "tproxy",
  exactly({
    family: attribute(1, symbol({ inet: 0, ip: 2, ip6: 10 })),
    address: attribute(2, register),
    port: attribute(3, register),
  }),
  (e: TransparentProxy) => e,
  (wire): TransparentProxy => ({
    kind: "tproxy",
    family: required(wire.family, "NFTA_TPROXY_FAMILY"),
    ...compact({ address: wire.address, port: wire.port }),
  }),
);
