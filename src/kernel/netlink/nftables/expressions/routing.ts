import { attribute } from "../../attributes.ts";
import { u8, u32be } from "../../wire.ts";
import { exactly, required } from "../exact.ts";
import { type Register, register } from "../registers.ts";
import { compact, symbol } from "../symbols.ts";
import { expressionCodec, unless } from "./codec.ts";

/** enum nft_rt_keys. */
const routeKeys = { classid: 0, nexthop4: 1, nexthop6: 2, "tcp-mss": 3, ipsec: 4 } as const;
/** enum nft_xfrm_keys. */
const xfrmKeys = { daddr4: 1, daddr6: 2, saddr4: 3, saddr6: 4, reqid: 5, spi: 6 } as const;

/** Loads a property of the packet's route: what segment size fits it, whether it leaves by IPsec. */
export interface Route {
  readonly kind: "rt";
  readonly key: keyof typeof routeKeys;
  readonly into: Register;
}

/** Loads a property of the IPsec state that a packet came or goes by. */
export interface Xfrm {
  readonly kind: "xfrm";
  readonly key: keyof typeof xfrmKeys;
  readonly direction: "in" | "out";
  /** Which of several states, the outermost 0. */
  readonly nesting?: number;
  readonly into: Register;
}

/** NFTA_RT_*. */
export const routeCodec = expressionCodec(
  "rt",
  exactly({ dreg: attribute(1, register), key: attribute(2, symbol(routeKeys)) }),
  (e: Route) => ({ dreg: e.into, key: e.key }),
  (wire): Route => ({
    kind: "rt",
    key: required(wire.key, "NFTA_RT_KEY"),
    into: required(wire.dreg, "NFTA_RT_DREG"),
  }),
);

const XFRM_POLICY_IN = 0;
const XFRM_POLICY_OUT = 1;

/** NFTA_XFRM_*. */
export const xfrmCodec = expressionCodec(
  "xfrm",
  exactly({
    dreg: attribute(1, register),
    key: attribute(2, symbol(xfrmKeys)),
    direction: attribute(3, u8),
    nesting: attribute(4, u32be),
  }),
  (e: Xfrm) => ({
    dreg: e.into,
    key: e.key,
    direction: e.direction === "in" ? XFRM_POLICY_IN : XFRM_POLICY_OUT,
    nesting: e.nesting,
  }),
  (wire): Xfrm => ({
    kind: "xfrm",
    key: required(wire.key, "NFTA_XFRM_KEY"),
    direction: required(wire.direction, "NFTA_XFRM_DIR") === XFRM_POLICY_IN ? "in" : "out",
    into: required(wire.dreg, "NFTA_XFRM_DREG"),
    ...compact({ nesting: unless(wire.nesting, 0) }),
  }),
);
