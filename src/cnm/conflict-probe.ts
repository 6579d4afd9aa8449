import { addressPart, type Family, familyOf, type IpAddress, isWeftError, WeftError } from "../core/index.ts";
import { conflictProbeOption, type Driver, probesForConflicts } from "../drivers/index.ts";
import type { HeldAddress } from "../kernel/index.ts";
import { type Context, driverOf } from "./context.ts";
import { driverNetwork } from "./driver-views.ts";
import { releaseAddresses, takeAddress } from "./endpoint-addresses.ts";
import type { AddressRecord, EndpointRecord, NetworkRecord } from "./records.ts";

/** How long answers to one set of probes are waited for, ms. RFC 5227 has seconds, which a container cannot wait. */
const windowMs = 200;
/** How long all sets of an endpoint may take together, ms. */
const budgetMs = 300;
/**
 * What each later set has in any case, ms: a thread that has many others to serve may be late to look at answers that
 * were there in time, and would give up after its first address.
 */
const leastWindowMs = 33;
/**
 * How many addresses of weft's own choice are tried at most. Who has an address mostly says so within a
 * millisecond, so that a set of which all are held takes no longer.
 */
const mostTried = 64;
/** Each set has this many times the addresses of the one before it. */
const growth = 4;
/** 1, 4, 16 and 43 addresses. */
const setCount = 4;

/**
 * Refuses {@link conflictProbeOption} for a driver whose networks are never on a wire, and values that it cannot
 * have. A driver that does its work elsewhere may know the name as its own. Throws UNKNOWN_OPTION, INVALID_OPTION.
 */
export function checkProbeOption(driver: Driver, options: NetworkRecord["options"]): void {
  if (options[conflictProbeOption] === undefined) return;
  if (driver.underlay !== undefined) probesForConflicts(options);
  else if (!driver.capabilities.imperative) {
    throw new WeftError(
      "UNKNOWN_OPTION",
      `unknown option "${conflictProbeOption}" for driver ${driver.name}: its networks are on no link of the host`,
    );
  }
}

/** The link of the host on which a network's addresses are asked for before they are taken; undefined where none are. */
export function probedLink(context: Context, network: NetworkRecord): string | undefined {
  const driver = driverOf(context, network.driver);
  if (driver.underlay === undefined || !probesForConflicts(network.options)) return undefined;
  const { link, routed } = driver.underlay(driverNetwork(network)) ?? {};
  return routed === true ? undefined : link;
}

/**
 * Refuses an endpoint of which somebody on the link has an address. Nothing is locked meanwhile. Throws
 * ADDRESS_CONFLICT, ABORTED.
 */
export async function refuseHeldAddresses(
  context: Context,
  link: string,
  endpoint: EndpointRecord,
  signal: AbortSignal | undefined,
): Promise<void> {
  const isEnough = (held: readonly HeldAddress[]) => held.length > 0;
  const addresses = [...endpoint.addresses.map(bare), ...linkLocalOf(endpoint)];
  const [held] = await ask(context, link, endpoint, addresses, windowMs, isEnough, signal);
  if (held !== undefined) throw conflict(link, held);
}

/**
 * Refuses a network by which the host would get an address on a wire that somebody there has, its router for instance.
 * Throws ADDRESS_CONFLICT, ABORTED.
 */
export async function refuseHeldHostAddresses(
  { facts }: Context,
  driver: Driver,
  network: NetworkRecord,
  signal: AbortSignal | undefined,
): Promise<void> {
  const asked = driver.hostAddresses?.(driverNetwork(network));
  if (asked === undefined || !probesForConflicts(network.options)) return;
  const { link, addresses } = asked;
  const isEnough = (held: readonly HeldAddress[]) => held.length > 0;
  const [held] = await facts.heldAddresses(link, { addresses, ours: [], windowMs, isEnough, signal });
  if (held === undefined) return;
  const { address, mac } = held;
  throw new WeftError(
    "ADDRESS_CONFLICT",
    `address ${address}, which this host would have as gateway of network ${network.name}, is held by ${mac} on ${link}: name one by --gateway that nobody there has, or, where something answers for addresses that nobody has, add -o ${conflictProbeOption}=false`,
    { details: { address, mac, link } },
  );
}

/** Stands up for an endpoint's addresses while they are being taken. */
export interface EndpointGuard {
  /** Throws ADDRESS_CONFLICT when somebody has claimed one since they were asked for. */
  readonly check: () => void;
  /** To be called once the endpoint's interface answers for them, or never will. */
  readonly end: () => void;
}

/**
 * Goes on listening for addresses that nobody had, and tells who probes for one that it is taken: many who join one network
 * wait for each other, and until its interface is up the kernel defends no address. Throws KernelError.
 */
export function guardOf({ facts }: Context, link: string, endpoint: EndpointRecord): EndpointGuard {
  const { macAddress } = endpoint;
  const guard = facts.guardAddresses(link, {
    addresses: [...endpoint.addresses.map(bare), ...linkLocalOf(endpoint)],
    ours: macAddress === undefined ? [] : [macAddress],
  });
  const check = () => {
    const [held] = guard.held();
    if (held !== undefined) throw conflict(link, held);
  };
  return { check, end: () => guard.end() };
}

/** An endpoint that is allocated and not recorded, and where others are asked for its addresses. */
export interface AddressSearch {
  readonly network: NetworkRecord;
  /** See {@link probedLink}. */
  readonly link: string;
  readonly endpoint: EndpointRecord;
  /** The families of which nobody asked for an address, so that any will do. */
  readonly chosen: readonly Family[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * The endpoint with addresses that nobody on the link has: those that it has already, or, in place of those of the
 * families in `chosen`, which nobody asked for, the next ones that are free. All of those that are not used are given back; when it
 * rejects, all but the endpoint's first. Nothing is locked meanwhile. Throws ADDRESS_CONFLICT, ABORTED.
 */
export async function withUnheldAddresses(context: Context, init: AddressSearch): Promise<EndpointRecord> {
  const { network, endpoint } = init;
  const search = new Search(context, init);
  try {
    const addresses = await search.run();
    await search.giveBack(addresses);
    if (addresses.every((one) => endpoint.addresses.includes(one))) return endpoint;
    context.events.emit({
      event: "address-conflict",
      what: `endpoint ${endpoint.name} of network ${network.name}`,
      held: search.held,
      taken: addresses.filter((one) => !endpoint.addresses.includes(one)).map(({ address }) => address),
    });
    return { ...endpoint, addresses };
  } catch (error) {
    await search.giveBack(endpoint.addresses);
    throw error;
  }
}

/** The search for addresses of one endpoint, set by set. */
class Search {
  /** Addresses that were found to be held, with their holders. */
  readonly held: HeldAddress[] = [];
  readonly #context: Context;
  readonly #network: NetworkRecord;
  readonly #link: string;
  readonly #endpoint: EndpointRecord;
  readonly #signal: AbortSignal | undefined;
  /** Addresses that are asked for, or came with the endpoint by other ways: there is no other for them. */
  readonly #fixed: readonly IpAddress[];
  /** Addresses of weft's choice that are not known to be held, by family, in the order in which they were taken. */
  readonly #candidates: Map<Family, readonly AddressRecord[]>;
  /** All that is reserved, the endpoint's first addresses among it. */
  readonly #reserved: AddressRecord[];

  constructor(context: Context, { network, link, endpoint, chosen, signal }: AddressSearch) {
    this.#context = context;
    this.#network = network;
    this.#link = link;
    this.#endpoint = endpoint;
    this.#signal = signal;
    this.#reserved = [...endpoint.addresses];
    const isChosen = ({ poolId, address }: AddressRecord) =>
      poolId !== "" && chosen.includes(familyOf(address));
    const candidates = endpoint.addresses.filter(isChosen);
    this.#candidates = new Map(candidates.map((one) => [familyOf(one.address), [one]]));
    const fixed = endpoint.addresses.filter((one) => !isChosen(one));
    this.#fixed = [...fixed.map(bare), ...linkLocalOf(endpoint)];
  }

  /** The endpoint's addresses as they can be, in their order. */
  async run(): Promise<readonly AddressRecord[]> {
    const { clock } = this.#context;
    const deadline = clock.monotonic() + budgetMs;
    for (let set = 1, size = growth; ; set++, size *= growth) {
      const left = deadline - clock.monotonic() - leastWindowMs * Math.max(0, setCount - set);
      await this.#probe(Math.max(leastWindowMs, Math.min(windowMs, left)));
      const families = [...this.#candidates]
        .filter(([, left]) => left.length === 0)
        .map(([family]) => family);
      if (families.length === 0) return this.#result();
      for (const family of families) {
        if ((await this.#takeMore(family, size)) === 0) throw this.#exhausted(family);
      }
    }
  }

  /** Gives back all that is reserved but `kept`; what goes wrong in that is told as an event. */
  async giveBack(kept: readonly AddressRecord[]): Promise<void> {
    const rest = this.#reserved.filter((one) => !kept.includes(one));
    try {
      await releaseAddresses(this.#context, this.#network, rest);
    } catch (error) {
      this.#context.events.emit({ event: "removal-failed", what: `network:${this.#network.id}`, error });
    }
  }

  /** Asks for all at once, until it is clear that a family has none left. Throws ADDRESS_CONFLICT for one that is fixed. */
  async #probe(ms: number): Promise<void> {
    const sets = [...this.#candidates.values()].map((set) => set.map(bare));
    const isEnough = (held: readonly HeldAddress[]) => {
      const addresses = new Set(held.map(({ address }) => address));
      return (
        this.#fixed.some((one) => addresses.has(one)) ||
        sets.some((set) => set.every((one) => addresses.has(one)))
      );
    };
    const all = [...this.#fixed, ...sets.flat()];
    const held = await ask(this.#context, this.#link, this.#endpoint, all, ms, isEnough, this.#signal);
    const refused = held.find(({ address }) => this.#fixed.includes(address));
    if (refused !== undefined) throw conflict(this.#link, refused);
    this.held.push(...held);
    const addresses = new Set(held.map(({ address }) => address));
    for (const [family, set] of this.#candidates)
      this.#candidates.set(
        family,
        set.filter((one) => !addresses.has(bare(one))),
      );
  }

  /** Takes up to `size` further addresses, while those that are held stay reserved; gives how many there were. */
  async #takeMore(family: Family, size: number): Promise<number> {
    const taken: AddressRecord[] = [];
    const tried = this.held.filter(({ address }) => familyOf(address) === family).length;
    while (taken.length < Math.min(size, mostTried - tried)) {
      const one = await this.#takeOne(family);
      if (one === undefined) break;
      this.#reserved.push(one);
      taken.push(one);
    }
    this.#candidates.set(family, taken);
    return taken.length;
  }

  async #takeOne(family: Family): Promise<AddressRecord | undefined> {
    const { macAddress } = this.#endpoint;
    try {
      const one = await takeAddress(
        this.#context,
        this.#network,
        family,
        undefined,
        macAddress,
        this.#signal,
      );
      // An IPAM driver that keeps an address for a MAC address gives it again.
      return one === undefined || this.#reserved.some(({ address }) => address === one.address)
        ? undefined
        : one;
    } catch (error) {
      if (isWeftError(error, "NO_AVAILABLE_ADDRESSES")) return undefined;
      throw error;
    }
  }

  #result(): readonly AddressRecord[] {
    return this.#endpoint.addresses.map((one) => {
      const [first] = this.#candidates.get(familyOf(one.address)) ?? [];
      return first === undefined || this.#fixed.includes(bare(one)) ? one : first;
    });
  }

  #exhausted(family: Family): WeftError {
    const held = this.held.filter(({ address }) => familyOf(address) === family);
    const last = held.at(-1);
    return new WeftError(
      "ADDRESS_CONFLICT",
      `all IPv${family} addresses of network ${this.#network.name} that were tried are held on ${this.#link}: ${held.length}, the last of them ${last?.address} by ${last?.mac}; give the network a range of its own by --ip-range`,
      { details: { link: this.#link, held } },
    );
  }
}

function ask(
  { facts }: Context,
  link: string,
  { macAddress }: EndpointRecord,
  addresses: readonly IpAddress[],
  ms: number,
  isEnough: (held: readonly HeldAddress[]) => boolean,
  signal: AbortSignal | undefined,
): Promise<readonly HeldAddress[]> {
  const ours = macAddress === undefined ? [] : [macAddress];
  return facts.heldAddresses(link, { addresses, ours, windowMs: ms, isEnough, signal });
}

function bare({ address }: AddressRecord): IpAddress {
  return addressPart(address);
}

function linkLocalOf({ linkLocal = [] }: EndpointRecord): readonly IpAddress[] {
  return linkLocal.map((address) => addressPart(address));
}

function conflict(link: string, { address, mac }: HeldAddress): WeftError {
  return new WeftError(
    "ADDRESS_CONFLICT",
    `address ${address} is held by ${mac} on ${link}: choose another, or, where something answers for addresses that nobody has, create the network with -o ${conflictProbeOption}=false`,
    { details: { address, mac, link } },
  );
}
