import type { Effect } from "../effects.ts";
import type { EffectOutcome, Found, Kernel, KernelQuery, Operation, Outcome } from "../kernel.ts";
import type { KernelError } from "../kernel-error.ts";
import { hostNetns, type NetnsRef } from "../netns-ref.ts";
import { type AcceptRuleObject, isHostRule, type NftTableObject } from "../nft-objects.ts";
import {
  alsoProvides,
  containersOf,
  type Identity,
  type IpvlanSpec,
  identityOf,
  type KernelObject,
  type LinkObject,
  linkIdentity,
  tableIdentity,
} from "../objects.ts";
import { initialSetting, ipv6LinkOf, linksWithoutIpv6 } from "./ipv6-of-links.ts";
import { refusalOf } from "./refusals.ts";

/** Where the twin is asked to refuse: see {@link MemoryKernel.onOperation}. */
export type OperationHook = (operation: Operation) => KernelError | undefined;

const acceptRedirects = "net/ipv4/conf/all/accept_redirects";

/** Somebody else's base chain. */
export type ForeignChain = Omit<AcceptRuleObject, "kind">;

/** What makes a host a router as a whole. */
const forwardingKeys: ReadonlyMap<string, "ipv4" | "ipv6"> = new Map([
  ["net/ipv4/ip_forward", "ipv4"],
  ["net/ipv6/conf/all/forwarding", "ipv6"],
]);

/** What Linux begins with, where that is not 0. */
const initialSysctls: ReadonlyMap<string, string> = new Map([[acceptRedirects, "1"]]);

/**
 * The kernel's twin in memory: it knows identities, what lives in what, and refusals, but no packets.
 * Scenarios about state run on it and on Linux and must agree.
 */
export class MemoryKernel implements Kernel {
  readonly #found = new Map<Identity, Found>();
  readonly #chains = new Map<string, ForeignChain>();
  /** Effects that were run, in their order. */
  readonly effects: Effect[] = [];
  /** Operations that were carried out, in their order. */
  readonly operations: Operation[] = [];
  /** Asked before each operation; what it gives is the operation's refusal. For tests. */
  onOperation: OperationHook = () => undefined;

  /** Puts objects there as if somebody else had made or changed them. What carries weft's mark keeps it. */
  addForeign(objects: readonly KernelObject[]): void {
    for (const object of objects) {
      const identity = identityOf(object);
      this.#hold({ object, marked: this.#found.get(identity)?.marked ?? false });
    }
  }

  /**
   * Begins with objects as weft made or adopted them, in the place of all that is there: what they lie in and
   * what kind they are says whether they are weft's.
   */
  begin(objects: readonly KernelObject[]): void {
    this.#found.clear();
    const links = objects.filter((object) => object.kind === "link");
    const adopted = new Set(
      links.filter(({ spec }) => spec.type === "adopted" || spec.type === "moved").map(identityOf),
    );
    for (const object of objects) this.#found.set(identityOf(object), foundOf(object, adopted));
  }

  /** Takes objects away behind weft's back. */
  removeForeign(objects: readonly KernelObject[]): void {
    for (const object of objects) this.#remove(identityOf(object));
  }

  /** Puts somebody else's base chains on the forward hook there. */
  addForeignChains(chains: readonly ForeignChain[]): void {
    for (const chain of chains) this.#chains.set(chainKey(chain), chain);
  }

  /** Takes somebody else's chains away, with the rule of weft's that is in them. */
  removeForeignChains(chains: readonly ForeignChain[]): void {
    for (const chain of chains) {
      this.#chains.delete(chainKey(chain));
      this.#remove(identityOf({ kind: "accept-rule", ...chain }));
    }
  }

  /** Everything that is there. */
  all(): readonly Found[] {
    return [...this.#found.values()];
  }

  async read(query: KernelQuery): Promise<readonly Found[]> {
    if (query.only === "rules") return this.all().filter(({ object }) => isHostRule(object));
    const lookUp = new Set(query.lookUp.map(identityOf));
    const found = this.all().flatMap(({ object, marked }): Found[] => {
      const own = isInOwnFolder(query, object);
      const asked =
        own ||
        lookUp.has(identityOf(object)) ||
        (object.kind !== "file" && object.kind !== "sysctl" && query.namespaces.includes(object.netns));
      return asked ? [{ object: asRead(object), marked: isPlace(object) ? own : marked }] : [];
    });
    return [...found, ...this.#untouchedSysctls(query)];
  }

  async apply(operations: readonly Operation[]): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    while (outcomes.length < operations.length) {
      const rest = operations.slice(outcomes.length);
      const failed = outcomes.some((outcome) => outcome !== undefined);
      outcomes.push(...(failed ? rest.map((): Outcome => "skipped") : this.#applyRun(nextRun(rest))));
    }
    return outcomes;
  }

  /**
   * Carries out a transaction of nftables, or one operation of another sort. As Linux does, it looks at
   * all of a transaction after a refusal, with what was refused left out.
   */
  #applyRun(run: readonly Operation[]): readonly Outcome[] {
    const before = new Map(run.length > 1 ? this.#found : []);
    const refusals = run.map((operation) => this.onOperation(operation) ?? this.#applyOne(operation));
    if (refusals.every((refusal) => refusal === undefined)) {
      this.operations.push(...run);
    } else if (run.length > 1) {
      this.#found.clear();
      for (const [identity, found] of before) this.#found.set(identity, found);
      const isGone = ({ op, object }: Operation) => op === "delete" && !before.has(identityOf(object));
      return run.map((operation, i) => refusals[i] ?? (isGone(operation) ? undefined : "skipped"));
    }
    return refusals;
  }

  async run(effects: readonly Effect[]): Promise<readonly EffectOutcome[]> {
    this.effects.push(...effects);
    return effects.map(() => undefined);
  }

  close(): void {}

  #applyOne(operation: Operation): KernelError | undefined {
    const { op, object } = operation;
    const refusal = refusalOf(
      {
        get: (one) => this.#found.get(one),
        provides: (one) => this.#provides(one),
        all: () => this.all(),
        hasForeignChain: (chain) => this.#chains.has(chainKey(chain)),
      },
      operation,
    );
    if (refusal !== undefined) return refusal;
    if (op === "delete") this.#delete(object);
    else this.#put(object);
    return undefined;
  }

  #put(object: KernelObject): void {
    const identity = identityOf(object);
    if (object.kind === "link" && object.spec.type === "adopted") return;
    if (object.kind === "link" && object.spec.type === "moved") {
      this.#remove(linkIdentity(hostNetns, object.spec.from));
      this.#found.set(identity, { object: { ...object, spec: { type: "adopted" } }, marked: false });
      return;
    }
    // It was there before weft, and adding it again marks nothing.
    if (object.kind === "address" && this.#found.has(identity)) return;
    if (object.kind === "nft-table") this.#putTable(object);
    else this.#hold({ object, marked: this.#isMarkedWhenMade(object) });
    if (object.kind === "netns" && object.from !== undefined) this.#rename(object.from, object.netns);
    if (object.kind === "link" && object.spec.type === "ipvlan") this.#shareMode(object.spec);
  }

  /** The ipvlans of one parent have the mode and flag of the last that was made or changed. */
  #shareMode(spec: IpvlanSpec): void {
    for (const { object, marked } of this.all())
      if (object.kind === "link" && object.spec.type === "ipvlan" && object.spec.parent === spec.parent)
        this.#hold({ object: { ...object, spec }, marked });
  }

  /** What is in a namespace that somebody else made outlives its mount; it is found there by the maker's path. */
  #rename(from: NetnsRef, to: NetnsRef): void {
    for (const { object, marked } of this.all()) {
      if (object.kind === "netns" || object.kind === "file" || object.netns !== from) continue;
      this.#found.delete(identityOf(object));
      this.#hold({ object: { ...object, netns: to }, marked });
    }
  }

  /** Its elements go, but for those in sets that the new definition does not know where somebody's chain is kept. */
  #putTable(object: NftTableObject): void {
    const former = this.#found.get(identityOf(object))?.object;
    const merged = former?.kind === "nft-table" ? rebuilt(object, former) : object;
    const { sets } = merged.definition;
    const theirs = this.all().filter(
      ({ object: one }) =>
        one.kind === "nft-element" &&
        tableIdentity(one.netns, one.family, one.table) === identityOf(object) &&
        sets[one.set] !== object.definition.sets[one.set],
    );
    this.#remove(identityOf(object));
    this.#hold({ object: merged, marked: true });
    for (const one of theirs) this.#hold(one);
  }

  #delete(object: KernelObject): void {
    const identity = identityOf(object);
    const there = this.#found.get(identity);
    if (there === undefined || object.kind === "sysctl") return; // a sysctl always has a value
    if (there.object.kind === "netns" && there.object.from !== undefined)
      this.#rename(there.object.netns, there.object.from);
    if (object.kind === "link") this.#deleteLink(object, there);
    else if (!isElsewhere(object, there.object)) this.#remove(identity);
  }

  #deleteLink(link: LinkObject, { marked }: Found): void {
    const { spec } = link;
    if (spec.type === "moved") {
      this.#remove(identityOf(link));
      this.addForeign([{ kind: "link", netns: hostNetns, name: spec.from, spec: { type: "adopted" } }]);
    } else if (spec.type !== "adopted" && marked) {
      this.#remove(identityOf(link)); // a stranger's link of that name stays
    }
  }

  #isMarkedWhenMade(object: KernelObject): boolean {
    if (object.kind === "sysctl") return false;
    if (object.kind !== "up" && object.kind !== "port") return true;
    return this.#found.get(linkIdentity(object.netns, object.link))?.marked ?? false;
  }

  #hold(found: Found): void {
    const { object } = found;
    const before = this.#found.get(identityOf(object))?.object;
    this.#found.set(identityOf(object), found);
    if (object.kind === "link") this.#endIpv6(new Set(linksWithoutIpv6(object)));
    if (object.kind !== "sysctl") return;
    const family = forwardingKeys.get(object.key);
    if (family === undefined || object.value === (before?.kind === "sysctl" ? before.value : "0")) return;
    // inet_forward_change() of net/ipv4/devinet.c and addrconf_fixup_forwarding() of net/ipv6/addrconf.c.
    const ofLinks = new RegExp(`^net/${family}/conf/(?!all/)[^/]+/forwarding$`);
    for (const { object: one, marked } of this.all()) {
      const follows = one.kind === "sysctl" && one.netns === object.netns && ofLinks.test(one.key);
      if (follows) this.#hold({ object: { ...one, value: object.value }, marked });
    }
    if (family === "ipv6") return;
    // A router accepts no redirects, any other host does.
    const redirects = {
      ...object,
      key: acceptRedirects,
      value: object.value === "0" ? "1" : "0",
      opensTraffic: undefined,
    };
    this.#hold({ object: redirects, marked: false });
  }

  /** What of those links' IPv6 is there goes. */
  #endIpv6(links: ReadonlySet<Identity>): void {
    if (links.size === 0) return;
    for (const { object } of this.all()) {
      const link = ipv6LinkOf(object);
      if (link !== undefined && links.has(link)) this.#remove(identityOf(object));
    }
  }

  /** True when an object of that identity is there, or one that brings it along. */
  #provides(identity: Identity): boolean {
    if (this.#found.has(identity)) return true;
    return this.all().some(({ object }) => alsoProvides(object).includes(identity));
  }

  /** Every sysctl of a namespace that is there has a value, also before anybody wrote it; but for IPv6's of a small link. */
  #untouchedSysctls({ lookUp }: KernelQuery): Found[] {
    const without = new Set(this.all().flatMap(({ object }) => linksWithoutIpv6(object)));
    return lookUp.flatMap((object): Found[] => {
      if (object.kind !== "sysctl" || this.#found.has(identityOf(object))) return [];
      const link = ipv6LinkOf(object);
      const isSmall = link !== undefined && without.has(link);
      if (isSmall || !containersOf(object).every((one) => this.#provides(one))) return [];
      const value = initialSysctls.get(object.key) ?? initialSetting(object.key) ?? "0";
      return [{ object: { ...object, value }, marked: false }];
    });
  }

  /** Removes an object and all that lives in it. */
  #remove(identity: Identity): void {
    const object = this.#found.get(identity)?.object;
    if (object === undefined) return;
    this.#found.delete(identity);
    const gone = new Set([identity, ...alsoProvides(object)]);
    for (const { object: other } of this.all()) {
      if (containersOf(other).some((container) => gone.has(container))) this.#remove(identityOf(other));
    }
  }
}

/** An object that weft has, as it is found: what it adopted or moved, and that these or lo are up, has no mark. */
function foundOf(object: KernelObject, adopted: ReadonlySet<Identity>): Found {
  switch (object.kind) {
    case "sysctl":
      return { object, marked: false };
    case "link":
      if (!adopted.has(identityOf(object))) return { object, marked: true };
      return { object: { ...object, spec: { type: "adopted" } }, marked: false };
    case "up": {
      const marked = object.link !== "lo" && !adopted.has(linkIdentity(object.netns, object.link));
      return { object, marked };
    }
    default:
      return { object, marked: true };
  }
}

/** Somebody put the port elsewhere: there it stays. */
function isElsewhere(object: KernelObject, there: KernelObject): boolean {
  return object.kind === "port" && there.kind === "port" && object.master !== there.master;
}

function chainKey({ netns, family, table, chain }: ForeignChain): string {
  return identityOf({ kind: "accept-rule", netns, family, table, chain });
}

/** What comes of a table that is put in the place of another: see rebuildTable() of netlink/nftables. */
function rebuilt(object: NftTableObject, former: NftTableObject): NftTableObject {
  const { chains, sets } = object.definition;
  const kept = Object.keys(chains).filter(
    (chain) => chains[chain]?.kept && former.definition.chains[chain] !== undefined,
  );
  if (kept.length === 0) return object;
  const inner = Object.entries(former.definition.chains).filter(([, { hook }]) => hook === undefined);
  const stays = inner.filter(([chain]) => chains[chain] === undefined || kept.includes(chain));
  const definition = {
    ...object.definition,
    sets: { ...former.definition.sets, ...sets },
    chains: { ...chains, ...Object.fromEntries(stays) },
  };
  return { ...object, definition };
}

/** The first operations that Linux carries out together: a transaction of one namespace's rule set, or just one. */
function nextRun(operations: readonly Operation[]): readonly Operation[] {
  const place = operations[0] === undefined ? undefined : ruleSetOf(operations[0]);
  if (place === undefined) return operations.slice(0, 1);
  const end = operations.findIndex((operation) => ruleSetOf(operation) !== place);
  return end < 0 ? operations : operations.slice(0, end);
}

/** The namespace whose rule set the operation is about. */
function ruleSetOf({ object }: Operation): NetnsRef | undefined {
  const { kind } = object;
  return kind === "nft-table" || kind === "nft-element" || kind === "accept-rule" ? object.netns : undefined;
}

/** Nothing tells of a namespace whose it is. */
function asRead(object: KernelObject): KernelObject {
  return object.kind === "netns" ? { kind: "netns", netns: object.netns } : object;
}

/** True for what is marked by where it lies. */
function isPlace({ kind }: KernelObject): boolean {
  return kind === "netns" || kind === "file";
}

function isInOwnFolder({ netnsFolder, fileFolder }: KernelQuery, object: KernelObject): boolean {
  const isBelow = (folder: string | undefined, path: string) =>
    folder !== undefined && path.startsWith(`${folder}/`);
  if (object.kind === "file") return isBelow(fileFolder, object.path);
  return object.kind !== "sysctl" && isBelow(netnsFolder, object.netns);
}
