import { createHash } from "node:crypto";
import { type IpAddress, isWeftError, parseAddress, WeftError } from "../core/index.ts";
import type { StoreKey, StoreReader, Transaction } from "../store/index.ts";
import type { BuiltinAllocator } from "./builtin/builtin-allocator.ts";
import type { PoolId } from "./ipam-driver.ts";

/** What an address was given for. */
export type LeaseKind = "gateway" | "aux" | "endpoint";

/** What the store says of an address that was given: one key each. */
export interface LeaseRecord {
  /** The id of the endpoint or network that the address belongs to. */
  readonly owner: string;
  readonly kind: LeaseKind;
}

/** The address of a pool; what a lease's key is made of. */
export interface LeaseName {
  /** The IPAM driver's name. */
  readonly driver: string;
  readonly poolId: PoolId;
  readonly address: IpAddress;
}

/** An address that was given, and to whom. */
export interface Lease extends LeaseName, LeaseRecord {}

/** Longer parts of a key are replaced by their hash: a plugin's pool ids may have any length, keys 500 bytes. */
const maxPartLength = 200;

/** What the key of every lease of a pool begins with: `ipam/DRIVER/POOL/`, where names are percent-encoded. */
export function leasePrefix(driver: string, poolId: PoolId): string {
  return `ipam/${keyPart(driver)}/${keyPart(poolId)}/`;
}

/** The key of a lease. */
export function leaseKey({ driver, poolId, address }: LeaseName): StoreKey {
  return leasePrefix(driver, poolId) + address;
}

/**
 * Records that an address was given. Throws ADDRESS_IN_USE when the store says that it was given to
 * another owner, in which case nothing of the transaction is kept.
 */
export function writeLease(transaction: Transaction, lease: Lease): void {
  const key = leaseKey(lease);
  const known = transaction.get(key);
  if (known !== undefined && readRecord(key, known).owner !== lease.owner) {
    throw new WeftError("ADDRESS_IN_USE", "Address already in use", {
      details: { address: lease.address, poolId: lease.poolId },
    });
  }
  const record: LeaseRecord = { owner: lease.owner, kind: lease.kind };
  transaction.put(key, record);
}

/** Removes the record of an address that was given back; false when there is none. */
export function eraseLease(transaction: Transaction, lease: LeaseName): boolean {
  return transaction.delete(leaseKey(lease));
}

/** Every lease of a pool, in the order of their keys. Throws STORE for an entry that is no lease. */
export function* leasesOf(reader: StoreReader, driver: string, poolId: PoolId): Iterable<Lease> {
  const prefix = leasePrefix(driver, poolId);
  for (const { key, value } of reader.range(prefix)) {
    yield { driver, poolId, address: readAddress(key, prefix), ...readRecord(key, value) };
  }
}

/**
 * Brings a new builtin allocator to what the store says: holds `poolIds`, which the networks' records
 * name, and takes the addresses that were given from them. Throws POOL_OVERLAP or ADDRESS_IN_USE when
 * the store contradicts itself, and STORE for an entry that is no lease.
 */
export function restoreLeases(
  allocator: BuiltinAllocator,
  reader: StoreReader,
  poolIds: Iterable<PoolId>,
): void {
  for (const poolId of poolIds) {
    allocator.restorePool(poolId);
    for (const { address } of leasesOf(reader, allocator.name, poolId)) {
      allocator.restoreAddress(poolId, address);
    }
  }
}

function readAddress(key: StoreKey, prefix: string): IpAddress {
  try {
    return parseAddress(key.slice(prefix.length));
  } catch (error) {
    throw isWeftError(error) ? noLease(key, error) : error;
  }
}

function readRecord(key: StoreKey, value: unknown): LeaseRecord {
  if (typeof value === "object" && value !== null && "owner" in value && "kind" in value) {
    const { owner, kind } = value;
    if (typeof owner === "string" && (kind === "gateway" || kind === "aux" || kind === "endpoint")) {
      return { owner, kind };
    }
  }
  throw noLease(key);
}

function noLease(key: string, cause?: unknown): WeftError {
  return new WeftError("STORE", `${key} is no address lease: the store is damaged: restore a backup`, {
    cause,
  });
}

/** `text` as one segment of a key: bytes other than letters, digits and `._:-` as %XX, or a hash if that is long. */
function keyPart(text: string): string {
  const part = text.replace(/[^\w.:-]/gu, percentEncoded);
  return part.length <= maxPartLength ? part : `%sha256-${createHash("sha256").update(text).digest("hex")}`;
}

function percentEncoded(character: string): string {
  const bytes = Buffer.from(character).toString("hex").toUpperCase();
  return bytes.replace(/../g, "%$&");
}
