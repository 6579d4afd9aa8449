import type { Family, InterfaceAddress, IpAddress, MacAddress, Prefix } from "../core/index.ts";
import type { AddressGuard, AddressQuestion, HeldAddress } from "../kernel/index.ts";
import type { Feature, FeatureName } from "./feature.ts";
import type { ForeignChain } from "./foreign-chains.ts";
import type { HostFacts } from "./host-facts.ts";
import type { HostLink } from "./host-link.ts";
import type { HostChange } from "./host-watch.ts";
import type { Platform } from "./platform.ts";
import type { WireLink } from "./wire-link.ts";

/** Facts that are given, for plans and tests without a host. Everything can be set. */
export class FixedFacts implements HostFacts {
  /** Kinds of links by name, for what asks for no more; see {@link hostLinks}. */
  readonly links = new Map<string, string>();
  /** Links by name. */
  readonly hostLinks = new Map<string, HostLink>();
  /** Links by name, as {@link wireLink} tells them. */
  readonly wireLinks = new Map<string, WireLink>();
  hardware: readonly string[] = [];
  platformName: Platform | undefined;
  /** Addresses that somebody has on the link in question, whichever it is. */
  readonly held = new Map<IpAddress, MacAddress>();
  /** Addresses that somebody takes as soon as they were found free. */
  readonly claimed = new Map<IpAddress, MacAddress>();
  /** Guards that have not ended. */
  guards = 0;
  /** What was asked for by {@link heldAddresses}, in order. */
  readonly probed: { readonly link: string; readonly addresses: readonly IpAddress[] }[] = [];
  onLink: readonly Prefix[] = [];
  advertised: readonly string[] = [];
  readonly sysctls = new Map<string, string>([
    ["net/ipv4/ip_forward", "0"],
    ["net/ipv6/conf/all/forwarding", "0"],
  ]);
  foreignChains: readonly ForeignChain[] = [];
  /** Identities of namespaces by path; the path itself for others. */
  readonly namespaces = new Map<string, string>();
  bridges: readonly string[] = [];
  /** Ports of bridges that lead to the underlay, by the bridges' names. */
  readonly ports = new Map<string, readonly string[]>();
  /** Links whose MTU is too small for IPv6. */
  small: readonly string[] = [];
  /** Addresses by links' names. */
  readonly addresses = new Map<string, readonly InterfaceAddress[]>();
  legacyIptables = false;
  resolvConfText = "";
  /** Features that the kernel lacks; it has all others. */
  readonly missing = new Map<FeatureName, Feature>();
  readonly #hostListeners = new Set<(change: HostChange) => void>();
  readonly #resolvConfListeners = new Set<(text: string) => void>();

  usesLegacyIptables(): boolean {
    return this.legacyIptables;
  }

  linkKind(name: string): string | undefined {
    return this.links.get(name) ?? this.hostLinks.get(name)?.kind;
  }

  link(name: string): HostLink | undefined {
    return this.hostLinks.get(name);
  }

  wireLink(name: string): WireLink | undefined {
    return this.wireLinks.get(name);
  }

  hardwareLinks(): readonly string[] {
    return this.hardware;
  }

  platform(): Platform | undefined {
    return this.platformName;
  }

  async heldAddresses(link: string, { addresses, ours }: AddressQuestion): Promise<readonly HeldAddress[]> {
    this.probed.push({ link, addresses });
    return addresses.flatMap((address) => {
      const mac = this.held.get(address);
      return mac === undefined || ours.includes(mac) ? [] : [{ address, mac }];
    });
  }

  guardAddresses(_link: string, { addresses }: Pick<AddressQuestion, "addresses">): AddressGuard {
    this.guards++;
    return {
      held: () =>
        addresses.flatMap((address) => {
          const mac = this.claimed.get(address);
          return mac === undefined ? [] : [{ address, mac }];
        }),
      end: () => this.guards--,
    };
  }

  linksOn(name: string): readonly HostLink[] {
    return [...this.hostLinks.values()].filter(({ vlan }) => vlan?.parent === name);
  }

  onLinkPrefixes(): readonly Prefix[] {
    return this.onLink;
  }

  bridgesInUse(): readonly string[] {
    return this.bridges;
  }

  underlayPorts(bridge: string): readonly string[] {
    return this.ports.get(bridge) ?? [];
  }

  smallLinks(): readonly string[] {
    return this.small;
  }

  addressesOn(link: string): readonly InterfaceAddress[] {
    return this.addresses.get(link) ?? [];
  }

  linksWithAdvertisedRoute(): readonly string[] {
    return this.advertised;
  }

  foreignForwardChains(): readonly ForeignChain[] {
    return this.foreignChains;
  }

  netnsIdentity(path: string): string {
    return this.namespaces.get(path) ?? path;
  }

  sysctl(key: string): string | undefined {
    return this.sysctls.get(key);
  }

  linksWith(family: Family, key: "forwarding" | "force_forwarding"): readonly string[] {
    const pattern = new RegExp(`^net/ipv${family}/conf/(?!(?:all|default|lo)/)([^/]+)/${key}$`);
    const names = [...this.sysctls].map(([one, value]) =>
      value === "0" ? undefined : pattern.exec(one)?.[1],
    );
    return names.filter((name) => name !== undefined).sort();
  }

  resolvConf(): string {
    return this.resolvConfText;
  }

  followResolvConf(listener: (text: string) => void): () => void {
    this.#resolvConfListeners.add(listener);
    return () => this.#resolvConfListeners.delete(listener);
  }

  /** Lets the host's resolv.conf say something else, and tells those who follow it. */
  setResolvConf(text: string): void {
    this.resolvConfText = text;
    for (const listener of this.#resolvConfListeners) listener(text);
  }

  followHost(listener: (change: HostChange) => void): () => void {
    this.#hostListeners.add(listener);
    return () => this.#hostListeners.delete(listener);
  }

  /** Tells those who follow the host that somebody changed it. */
  changeHost(change: HostChange): void {
    for (const listener of this.#hostListeners) listener(change);
  }

  features(): readonly Feature[] {
    return [];
  }

  missingFeature(name: FeatureName): Feature | undefined {
    return this.missing.get(name);
  }

  close(): void {}
}
