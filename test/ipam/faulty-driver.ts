import { type Prefix, WeftError } from "../../src/core/index.ts";
import {
  asIpamDriver,
  type BuiltinAllocator,
  type IpamDriver,
  type PoolLease,
} from "../../src/ipam/index.ts";

/** What a fault does to a driver's calls. */
export interface Faults {
  /** The call that fails, counted from 1; releases count too, but only requests fail. */
  readonly failAt?: number;
  /** The release, counted from 1, that fails. */
  readonly failReleaseAt?: number;
  /** Ignores what it is told to avoid, as a plugin does, which is never told. */
  readonly ignoreExclude?: boolean;
  /** Said along with each pool. */
  readonly data?: Readonly<Record<string, string>>;
}

/** The builtin driver with faults, and a list of the calls it had. */
export function faultyDriver(
  allocator: BuiltinAllocator,
  faults: Faults,
): { driver: IpamDriver; calls: string[] } {
  const inner = asIpamDriver(allocator);
  const calls: string[] = [];
  let releases = 0;
  const called = (call: string) => {
    calls.push(call);
    if (calls.length === faults.failAt) throw new WeftError("STORE", `fault at ${call}`);
  };
  const released = (call: string) => {
    calls.push(call);
    releases++;
    if (releases === faults.failReleaseAt) throw new WeftError("STORE", `fault at ${call}`);
  };
  const driver: IpamDriver = {
    ...inner,
    async requestPool(request): Promise<PoolLease> {
      called(`requestPool ${request.pool ?? ""}`);
      const exclude: readonly Prefix[] = faults.ignoreExclude === true ? [] : request.exclude;
      return { ...(await inner.requestPool({ ...request, exclude })), data: faults.data ?? {} };
    },
    async releasePool(poolId) {
      released(`releasePool ${poolId}`);
      await inner.releasePool(poolId);
    },
    async requestAddress(poolId, request) {
      called(`requestAddress ${request.address ?? ""}`);
      return inner.requestAddress(poolId, request);
    },
    async releaseAddress(poolId, address) {
      released(`releaseAddress ${address}`);
      await inner.releaseAddress(poolId, address);
    },
  };
  return { driver, calls };
}
