import { defaultPrefix, type IpAddress, WeftError } from "../core/index.ts";
import type {
  AddressLease,
  AddressRequest,
  IpamAllocator,
  PoolId,
  PoolLease,
  PoolRequest,
} from "./ipam-driver.ts";

const nullSpace = "null";
const poolIds: readonly PoolId[] = [`${nullSpace}/${defaultPrefix(4)}`, `${nullSpace}/${defaultPrefix(6)}`];

/** The IPAM of networks without addresses of their own (host, none): one pool a family, which gives no address. */
export class NullAllocator implements IpamAllocator {
  readonly name = "null";
  readonly capabilities = { requiresMacAddress: false, requiresRequestReplay: false };
  readonly defaultAddressSpaces = { local: nullSpace, global: nullSpace };

  /** Gives the same pool every time. Throws INVALID_POOL for a pool of the caller's choice. */
  requestPool({ addressSpace, pool = "", subPool = "", family }: PoolRequest): PoolLease {
    if (addressSpace !== nullSpace) throw unknownSpace(addressSpace);
    if (pool !== "") {
      throw new WeftError("INVALID_POOL", `null ipam driver does not handle specific address pool requests`);
    }
    if (subPool !== "") {
      throw new WeftError(
        "INVALID_POOL",
        `null ipam driver does not handle specific address subpool requests`,
      );
    }
    return { poolId: `${nullSpace}/${defaultPrefix(family)}`, pool: defaultPrefix(family), data: {} };
  }

  releasePool(poolId: PoolId): void {
    checkPoolId(poolId);
  }

  requestAddress(poolId: PoolId, _request: AddressRequest): AddressLease {
    checkPoolId(poolId);
    return { address: undefined, data: {} };
  }

  releaseAddress(poolId: PoolId, _address: IpAddress): void {
    checkPoolId(poolId);
  }
}

function unknownSpace(name: string): WeftError {
  return new WeftError("INVALID_POOL", `cannot find address space ${name}`);
}

function checkPoolId(poolId: PoolId): void {
  if (!poolIds.includes(poolId)) throw new WeftError("INVALID_POOL", `unknown pool id: ${poolId}`);
}
