import type { Family, InterfaceAddress, Prefix } from "../core/index.ts";
import type {
  Feature,
  FeatureName,
  ForeignChain,
  HostFacts,
  HostLink,
  Platform,
  WireLink,
} from "../facts/index.ts";
import {
  type AddressGuard,
  type Found,
  type HeldAddress,
  hostNetns,
  identityOf,
  type KernelObject,
  type KernelQuery,
  type LinkObject,
  linkIdentity,
  MemoryKernel,
  noGuard,
  type Operation,
  type Outcome,
} from "../kernel/index.ts";

/** A kernel to try things out on. What it does not know of the host it looks up there, and changes nothing. */
export class TryoutKernel extends MemoryKernel {
  readonly #facts: Pick<HostFacts, "linkKind" | "sysctl">;

  /** It begins with `objects`, those of the real kernel that are weft's. */
  constructor(facts: Pick<HostFacts, "linkKind" | "sysctl">, objects: readonly KernelObject[]) {
    super();
    this.#facts = facts;
    this.begin(objects);
  }

  /** A sysctl of the host that nobody asked for yet has the value that it really has. */
  override async read(query: KernelQuery): Promise<readonly Found[]> {
    const found = await super.read(query);
    const known = new Set(this.all().map(({ object }) => identityOf(object)));
    return found.map((one) => {
      const { object } = one;
      if (object.kind !== "sysctl" || object.netns !== hostNetns || known.has(identityOf(object))) return one;
      const value = this.#facts.sysctl(object.key);
      return value === undefined ? one : { ...one, object: { ...object, value } };
    });
  }

  /** Links of others that are to be adopted are there when they really are. */
  override apply(operations: readonly Operation[]): Promise<readonly Outcome[]> {
    for (const { op, object } of operations) {
      const adopts = op === "create" && object.kind === "link" && object.spec.type === "adopted";
      if (adopts && this.#facts.linkKind(object.name) !== undefined) this.addForeign([object]);
    }
    return super.apply(operations);
  }
}

/** Facts of the real host, but for what is tried out on the twin's kernel. Nothing is followed. */
export class TryoutFacts implements HostFacts {
  readonly #real: HostFacts;
  readonly #kernel: MemoryKernel;
  readonly #ownLinks: ReadonlySet<string>;

  /** `ownLinks` are the host's links that were weft's in the beginning. */
  constructor(real: HostFacts, kernel: MemoryKernel, ownLinks: ReadonlySet<string>) {
    this.#real = real;
    this.#kernel = kernel;
    this.#ownLinks = ownLinks;
  }

  linkKind(name: string): string | undefined {
    const link = this.#hostObject(linkIdentity(hostNetns, name));
    if (link?.kind === "link" && link.spec.type !== "adopted") return link.spec.type;
    return this.#ownLinks.has(name) && link === undefined ? undefined : this.#real.linkKind(name);
  }

  link(name: string): HostLink | undefined {
    const link = this.#hostObject(linkIdentity(hostNetns, name));
    const real = this.#real.link(name);
    if (link?.kind === "link" && link.spec.type !== "adopted") return real ?? madeLink(link);
    return this.#ownLinks.has(name) && link === undefined ? undefined : real;
  }

  linksOn(name: string): readonly HostLink[] {
    const there = this.#real.linksOn(name).flatMap((link) => this.link(link.name) ?? []);
    const made = this.#kernel.all().flatMap(({ object }) => {
      if (object.kind !== "link" || object.netns !== hostNetns) return [];
      const isOn = "parent" in object.spec && object.spec.parent === name;
      return isOn && there.every((link) => link.name !== object.name) ? [madeLink(object)] : [];
    });
    return [...there, ...made];
  }

  sysctl(key: string): string | undefined {
    return this.#hostSysctl(key) ?? this.#real.sysctl(key);
  }

  linksWith(family: Family, key: "forwarding" | "force_forwarding"): readonly string[] {
    const found = this.#real.linksWith(family, key);
    const written = this.#hostSysctl(family === 4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding");
    if (key !== "forwarding" || written === undefined) return found;
    // weft's value of the host was written on all links, and says nothing of theirs.
    return found.filter((name) => (this.#hostSysctl(`net/ipv${family}/conf/${name}/${key}`) ?? "0") !== "0");
  }

  #hostSysctl(key: string): string | undefined {
    const sysctl = this.#hostObject(identityOf({ kind: "sysctl", netns: hostNetns, key, value: "" }));
    return sysctl?.kind === "sysctl" ? sysctl.value : undefined;
  }

  #hostObject(identity: string): KernelObject | undefined {
    return this.#kernel.all().find(({ object }) => identityOf(object) === identity)?.object;
  }

  usesLegacyIptables(): boolean {
    return this.#real.usesLegacyIptables();
  }

  wireLink(name: string): WireLink | undefined {
    return this.#real.wireLink(name);
  }

  hardwareLinks(): readonly string[] {
    return this.#real.hardwareLinks();
  }

  platform(): Platform | undefined {
    return this.#real.platform();
  }

  /** Nobody is asked: trying out sends nothing. */
  async heldAddresses(): Promise<readonly HeldAddress[]> {
    return [];
  }

  guardAddresses(): AddressGuard {
    return noGuard;
  }

  onLinkPrefixes(): readonly Prefix[] {
    return this.#real.onLinkPrefixes();
  }

  bridgesInUse(): readonly string[] {
    return this.#real.bridgesInUse();
  }

  underlayPorts(bridge: string): readonly string[] {
    return this.#real.underlayPorts(bridge);
  }

  smallLinks(): readonly string[] {
    return this.#real.smallLinks();
  }

  addressesOn(link: string): readonly InterfaceAddress[] {
    return this.#real.addressesOn(link);
  }

  linksWithAdvertisedRoute(): readonly string[] {
    return this.#real.linksWithAdvertisedRoute();
  }

  foreignForwardChains(): readonly ForeignChain[] {
    return this.#real.foreignForwardChains();
  }

  netnsIdentity(path: string): string {
    return this.#real.netnsIdentity(path);
  }

  resolvConf(): string {
    return this.#real.resolvConf();
  }

  followResolvConf(): () => void {
    return () => {};
  }

  followHost(): () => void {
    return () => {};
  }

  features(): readonly Feature[] {
    return [];
  }

  missingFeature(name: FeatureName): Feature | undefined {
    return this.#real.missingFeature(name);
  }

  close(): void {}
}

/** A link that is only on the twin, as it would be found. */
function madeLink({ name, spec, mtu = 1500, mac }: LinkObject): HostLink {
  const made = { name, kind: spec.type, mtu, mac, loopback: false, up: true, running: true, ours: true };
  if (spec.type !== "vlan") return made;
  const { parent, id, protocol } = spec;
  return { ...made, vlan: { parent, id, protocol } };
}
