import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { addressPart, type Family, type IpAddress, parseAddress } from "../src/core/index.ts";
import { BuiltinAllocator, type PoolId, writeLease } from "../src/ipam/index.ts";
import { LmdbStore, MemoryStore, type Store } from "../src/store/index.ts";

/** One line of the table: what was measured, and the figure with its unit. */
export interface IpamFigure {
  readonly what: string;
  readonly figure: string;
}

const million = 1_000_000;

/** Takes 1,000,000 addresses of a /8, one by one: ns each, and what the pool then costs in memory. */
export function millionInOrder(): readonly IpamFigure[] {
  const { allocator, poolId } = withPool("10.0.0.0/8");
  const before = memoryInUse();
  const elapsed = elapsedNs(() => {
    for (let i = 0; i < million; i++) allocator.requestAddress(poolId, { options: {} });
  });
  const measured = memoryInUse() - before;
  return [
    { what: "take 1,000,000 of a /8, lowest first", figure: perOperation(elapsed, million) },
    { what: "  its bitmap, bytes of bits", figure: `${allocator.bitmapBytes(poolId)} B` },
    { what: "  its growth of heap and buffers, measured", figure: `${measured} B` },
  ];
}

/** Takes the 1,048,574 addresses of a /12 by address, in random order: ns each, and the most it costs in memory. */
export function millionAtRandom(): readonly IpamFigure[] {
  const size = 2 ** 20;
  // An odd factor permutes the offsets. The first and the last address are reserved.
  const addresses = Array.from({ length: size }, (_, i) => (i * 0x9e3b1) % size)
    .filter((at) => at > 0 && at < size - 1)
    .map((at) => ipv4(0x0a000000 + at));
  const timed = withPool("10.0.0.0/12");
  const elapsed = elapsedNs(() => {
    for (const address of addresses) timed.allocator.requestAddress(timed.poolId, { address, options: {} });
  });
  const weighed = withPool("10.0.0.0/12");
  const before = memoryInUse();
  let worst = 0;
  for (const [i, address] of addresses.entries()) {
    weighed.allocator.requestAddress(weighed.poolId, { address, options: {} });
    if (i % 65_536 === 65_535) worst = Math.max(worst, memoryInUse() - before);
  }
  return [
    { what: "take 1,048,574 of a /12 by address, at random", figure: perOperation(elapsed, size) },
    {
      what: "  largest growth of heap and buffers meanwhile",
      figure: `${((worst * 8) / size).toFixed(2)} bits an address of the pool`,
    },
  ];
}

/** Releases and takes addresses of a /16 that is half full: ns for a pair. */
export function releaseAndRequest(): readonly IpamFigure[] {
  const { allocator, poolId } = withPool("10.0.0.0/16");
  const held = takeMany(allocator, poolId, 32_768);
  const elapsed = elapsedNs(() => {
    for (let i = 0; i < million; i++) {
      const slot = (i * 0x9e3b1) % held.length;
      const old = held[slot];
      if (old !== undefined) allocator.releaseAddress(poolId, old);
      held[slot] = addressPart(allocator.requestAddress(poolId, { options: {} }).address);
    }
  });
  return [
    { what: "release a random address and take one, /16 half full", figure: perOperation(elapsed, million) },
  ];
}

/** Takes addresses of an IPv6 /64, lowest first and by random address. */
export function inIpv6(): readonly IpamFigure[] {
  const { allocator, poolId } = withPool("fd00:1:2:3::/64");
  const ordered = elapsedNs(() => takeMany(allocator, poolId, 100_000));
  const chosen = Array.from({ length: 100_000 }, (_, i) => {
    const high = (Math.imul(i + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, "0");
    const low = (Math.imul(i + 1, 0x85ebca6b) >>> 0).toString(16).padStart(8, "0");
    return parseAddress(`fd00:1:2:3:${high.slice(0, 4)}:${low.slice(0, 4)}:${high.slice(4)}:${low.slice(4)}`);
  });
  const before = memoryInUse();
  const random = elapsedNs(() => {
    for (const address of chosen) allocator.requestAddress(poolId, { address, options: {} });
  });
  const measured = (memoryInUse() - before) / chosen.length;
  return [
    { what: "take 100,000 of an IPv6 /64, lowest first", figure: perOperation(ordered, 100_000) },
    { what: "take 100,000 of an IPv6 /64 by random address", figure: perOperation(random, 100_000) },
    { what: "  its growth of heap and buffers", figure: `${measured.toFixed(0)} B an address` },
  ];
}

/** Takes and gives back pools of the allocator's choice: with one alive, and 65,536 of them at once. */
export function pools(): readonly IpamFigure[] {
  const allocator = new BuiltinAllocator({ hostId: "bench" });
  const request = { addressSpace: "GlobalDefault", options: {}, exclude: [], family: 4 as const };
  const pairs = 200_000;
  const paired = elapsedNs(() => {
    for (let i = 0; i < pairs; i++) allocator.releasePool(allocator.requestPool(request).poolId);
  });
  const all = elapsedNs(() => {
    for (let i = 0; i < 65_536; i++) allocator.requestPool(request);
  });
  return [
    { what: "take and release a pool of the allocator's choice", figure: perOperation(paired, pairs) },
    { what: "take all 65,536 /24 of 10.0.0.0/8", figure: perOperation(all, 65_536) },
  ];
}

/** Takes 1,000 addresses and records their leases in one transaction: ns an address, the commit included. */
export async function thousandInOneTransaction(store: Store, name: string): Promise<readonly IpamFigure[]> {
  const { allocator, poolId } = withPool("10.0.0.0/16");
  const rounds = 20;
  const count = 1000;
  const start = process.hrtime.bigint();
  for (let round = 0; round < rounds; round++) {
    const held = takeMany(allocator, poolId, count);
    await store.transact((transaction) => {
      for (const address of held) {
        writeLease(transaction, {
          driver: allocator.name,
          poolId,
          address,
          owner: "bench",
          kind: "endpoint",
        });
      }
    });
  }
  const elapsed = Number(process.hrtime.bigint() - start);
  return [
    {
      what: `take 1,000 and record them in one transaction, ${name}`,
      figure: perOperation(elapsed, rounds * count),
    },
    { what: "  the transaction as a whole", figure: `${(elapsed / rounds / 1e6).toFixed(2)} ms` },
  ];
}

/** Takes 200 addresses and records each in a transaction of its own, one after the other: the cost of a lone container. */
export async function oneByOne(store: Store, name: string): Promise<readonly IpamFigure[]> {
  const { allocator, poolId } = withPool("10.0.0.0/16");
  const count = 200;
  const start = process.hrtime.bigint();
  for (const address of takeMany(allocator, poolId, count)) {
    const lease = { driver: allocator.name, poolId, address, owner: "bench", kind: "endpoint" as const };
    await store.transact((transaction) => writeLease(transaction, lease));
  }
  const elapsed = Number(process.hrtime.bigint() - start);
  return [
    { what: `take one and record it, one after the other, ${name}`, figure: perOperation(elapsed, count) },
  ];
}

/** What needs no store. */
export function measureAllocator(): readonly IpamFigure[] {
  // Once for nothing: what the compiler keeps would otherwise be counted as the bitmap's.
  millionInOrder();
  millionAtRandom();
  return [...millionInOrder(), ...millionAtRandom(), ...releaseAndRequest(), ...inIpv6(), ...pools()];
}

/** What goes through a store, which `name` says. */
export async function measureLedger(store: Store, name: string): Promise<readonly IpamFigure[]> {
  return [...(await thousandInOneTransaction(store, name)), ...(await oneByOne(store, name))];
}

/** All figures: of the allocator, and of the ledger over a store in memory and one on disk. */
export async function measureIpam(): Promise<readonly IpamFigure[]> {
  const folder = mkdtempSync(join(tmpdir(), "weft-bench-"));
  const memory = new MemoryStore();
  const schema = { version: 1, migrations: [] };
  const durable = await LmdbStore.open({ path: join(folder, "store"), schema });
  try {
    return [
      ...measureAllocator(),
      ...(await measureLedger(memory, "store in memory")),
      ...(await measureLedger(durable, "LMDB")),
    ];
  } finally {
    await memory.close();
    await durable.close();
    rmSync(folder, { recursive: true });
  }
}

/** Prints figures as a table. */
export function printFigures(figures: readonly IpamFigure[]): void {
  const width = Math.max(...figures.map(({ what }) => what.length));
  for (const { what, figure } of figures) console.log(`${what.padEnd(width)}  ${figure}`);
}

function withPool(pool: string, family: Family = pool.includes(":") ? 6 : 4) {
  const allocator = new BuiltinAllocator({ hostId: "bench" });
  const request = { addressSpace: "LocalDefault", pool, options: {}, exclude: [], family };
  return { allocator, poolId: allocator.requestPool(request).poolId };
}

function takeMany(allocator: BuiltinAllocator, poolId: PoolId, count: number): IpAddress[] {
  return Array.from({ length: count }, () =>
    addressPart(allocator.requestAddress(poolId, { options: {} }).address),
  );
}

function ipv4(value: number): IpAddress {
  return parseAddress([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join("."));
}

function elapsedNs(work: () => void): number {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start);
}

function perOperation(elapsed: number, count: number): string {
  return `${(elapsed / count).toFixed(0)} ns`;
}

/** Bytes of heap and array buffers that are alive. */
function memoryInUse(): number {
  for (let i = 0; i < 3; i++) collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  printFigures(await measureIpam());
}
