import { containsPrefix, isWeftError, type Prefix, parsePrefix, WeftError } from "../../core/index.ts";
import type { PoolId } from "../ipam-driver.ts";

/** What a builtin pool's id says. */
export interface PoolKey {
  readonly addressSpace: string;
  readonly pool: Prefix;
  /** The part that addresses are taken from, when it was asked for. */
  readonly subPool: Prefix | undefined;
}

/** The id of a pool: `LocalDefault/172.27.0.0/16`, and `/172.27.3.0/24` after it for a sub-pool. */
export function formatPoolId({ addressSpace, pool, subPool }: PoolKey): PoolId {
  return subPool === undefined ? `${addressSpace}/${pool}` : `${addressSpace}/${pool}/${subPool}`;
}

/** Reads what {@link formatPoolId} wrote. Throws INVALID_POOL. */
export function parsePoolId(poolId: PoolId): PoolKey {
  const parts = poolId.split("/");
  const [addressSpace = "", address, length, subAddress, subLength] = parts;
  const invalid = (cause?: unknown) =>
    new WeftError("INVALID_POOL", `invalid string form for subnetkey: ${poolId}`, { cause });
  if ((parts.length !== 3 && parts.length !== 5) || addressSpace === "") throw invalid();
  try {
    const pool = parsePrefix(`${address}/${length}`);
    const subPool = parts.length === 5 ? parsePrefix(`${subAddress}/${subLength}`) : undefined;
    if (subPool !== undefined && !containsPrefix(pool, subPool)) throw invalid();
    return { addressSpace, pool, subPool };
  } catch (error) {
    throw isWeftError(error, "INVALID_POOL") ? error : invalid(error);
  }
}
