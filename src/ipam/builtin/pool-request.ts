import {
  containsPrefix,
  familyOf,
  firstAddress,
  isWeftError,
  lengthOf,
  networkOf,
  type Prefix,
  parseInterfaceAddress,
  WeftError,
} from "../../core/index.ts";
import type { PoolRequest } from "../ipam-driver.ts";

/** What a pool request asks for. */
export type WantedPool =
  | { readonly kind: "any"; readonly size: number | undefined }
  | { readonly kind: "static"; readonly pool: Prefix; readonly subPool: Prefix | undefined };

/** Reads a request. Host bits are cleared, and a sub-pool larger than its pool is the pool. Throws INVALID_POOL. */
export function readPoolRequest(request: PoolRequest): WantedPool {
  const { addressSpace, pool: poolText = "", subPool: subPoolText = "", family } = request;
  const unreadable = (what: string, cause?: unknown) =>
    new WeftError(
      "INVALID_POOL",
      `failed to parse pool request for address space ${JSON.stringify(addressSpace)} pool ${JSON.stringify(poolText)} subpool ${JSON.stringify(subPoolText)}: ${what}`,
      { cause },
    );
  const read = (text: string, what: string): Prefix => {
    try {
      return networkOf(parseInterfaceAddress(text));
    } catch (error) {
      throw isWeftError(error) ? unreadable(what, error) : error;
    }
  };
  if (addressSpace === "") throw unreadable("invalid address space");
  if (poolText === "") {
    if (subPoolText !== "") throw unreadable("invalid address subpool");
    return { kind: "any", size: undefined };
  }
  const pool = read(poolText, "invalid address pool");
  if (familyOf(pool) !== family) throw unreadable(`the pool should be an IPv${family} block`);
  if (lengthOf(pool) > 0 && isUnspecified(pool)) {
    if (subPoolText !== "") throw unreadable("invalid address subpool");
    return { kind: "any", size: lengthOf(pool) };
  }
  if (subPoolText === "") return { kind: "static", pool, subPool: undefined };
  const subPool = read(subPoolText, "invalid address subpool");
  if (familyOf(subPool) !== family) {
    throw unreadable("pool and subpool are of incompatible address families");
  }
  if (containsPrefix(subPool, pool)) return { kind: "static", pool, subPool: pool };
  if (!containsPrefix(pool, subPool)) throw unreadable("invalid address subpool");
  return { kind: "static", pool, subPool };
}

function isUnspecified(prefix: Prefix): boolean {
  const address = firstAddress(prefix);
  return address === "0.0.0.0" || address === "::";
}
