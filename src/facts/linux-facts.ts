import { readFileSync } from "node:fs";
import {
  addressPart,
  type Clock,
  type Family,
  familyOf,
  type InterfaceAddress,
  isLinkLocal,
  lengthOf,
  type Prefix,
  systemClock,
} from "../core/index.ts";
import {
  type AddressGuard,
  AddressProber,
  type AddressQuestion,
  closeFd,
  doomedLinkGroup,
  type HeldAddress,
  inNetns,
  lastingNetnsIdentity,
  linkGroup,
  openNetns,
} from "../kernel/index.ts";
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket, rtnetlink } from "../kernel/netlink/index.ts";
import type { Feature, FeatureName } from "./feature.ts";
import { probeFeatures } from "./features.ts";
import { type ForeignChain, foreignForwardChains } from "./foreign-chains.ts";
import { guardAddresses, heldAddresses } from "./held-addresses.ts";
import type { HostFacts } from "./host-facts.ts";
import { type HostLink, readHostLink, readLinksOn } from "./host-link.ts";
import { type HostChange, HostWatch } from "./host-watch.ts";
import { glanceAt, type LinksGlance } from "./links-glance.ts";
import { type Platform, readPlatform } from "./platform.ts";
import { ResolvConfFollower } from "./resolv-conf-follower.ts";
import { RouteFollower } from "./route-follower.ts";
import { readWireLink, type WireLink } from "./wire-link.ts";

const { getLink, IFF_LOOPBACK, kindName, listAddresses, listLinks } = rtnetlink;

/** Where a host's resolv.conf really is when it points at systemd-resolved's own stub. */
const systemdResolvConf = "/run/systemd/resolve/resolv.conf";

/** Facts about the namespace at a path, read by netlink and from /proc/sys. */
export class LinuxFacts implements HostFacts {
  readonly #fd: number;
  readonly #socket: NetlinkSocket;
  readonly #routes: RouteFollower;
  readonly #netnsPath: string;
  readonly #resolvConfPath: string;
  readonly #prober: AddressProber;
  readonly #followers = new Set<ResolvConfFollower>();
  /** Features that were found; what a kernel has it keeps. */
  readonly #offered = new Set<FeatureName>();
  /** Opened when it is needed, and kept: closing one may wait for what was deleted in its namespace. */
  #netfilter: NetlinkSocket | undefined;
  /** What was read of all links in this turn of the event loop. */
  #glance: LinksGlance | undefined;

  /** Opens the namespace. `resolvConfPath` is the host's own; `clock` is what probes wait by. Throws KernelError. */
  constructor(netnsPath: string, resolvConfPath = "/etc/resolv.conf", clock: Clock = systemClock) {
    this.#netnsPath = netnsPath;
    this.#resolvConfPath = resolvConfPath;
    const opened: (() => void)[] = [];
    try {
      this.#fd = openNetns(netnsPath);
      opened.push(() => closeFd(this.#fd));
      this.#socket = inNetns(this.#fd, () => NetlinkSocket.open(NETLINK_ROUTE));
      opened.push(() => this.#socket.close());
      this.#routes = RouteFollower.open(this.#fd);
      this.#prober = new AddressProber(this.#fd, clock);
    } catch (error) {
      for (const close of opened.reverse()) close();
      throw error;
    }
  }

  usesLegacyIptables(): boolean {
    // The calling thread's namespace is the one that the file is about.
    return inNetns(this.#fd, () =>
      ["ip_tables_names", "ip6_tables_names"].some(
        (name) => (readIfThere(`/proc/thread-self/net/${name}`) ?? "").trim() !== "",
      ),
    );
  }

  linkKind(name: string): string | undefined {
    const link = getLink(this.#socket, name);
    if (link === undefined) return undefined;
    return link.kind === undefined ? "device" : kindName(link.kind);
  }

  link(name: string): HostLink | undefined {
    return readHostLink(this.#socket, name);
  }

  wireLink(name: string): WireLink | undefined {
    return readWireLink(this.#socket, this.#fd, name);
  }

  hardwareLinks(): readonly string[] {
    const isHardware = ({ kind, up, mac, flags }: rtnetlink.Link) =>
      kind === undefined && up && mac !== undefined && (flags & IFF_LOOPBACK) === 0;
    return listLinks(this.#socket)
      .filter(isHardware)
      .map(({ name }) => name);
  }

  platform(): Platform | undefined {
    return readPlatform();
  }

  heldAddresses(link: string, question: AddressQuestion): Promise<readonly HeldAddress[]> {
    return heldAddresses(this.#socket, this.#prober, link, question);
  }

  guardAddresses(link: string, question: Pick<AddressQuestion, "addresses" | "ours">): AddressGuard {
    return guardAddresses(this.#socket, this.#prober, link, question);
  }

  linksOn(name: string): readonly HostLink[] {
    return readLinksOn(this.#socket, name);
  }

  onLinkPrefixes(): readonly Prefix[] {
    // A default route out of a point-to-point link says that everything is on it, and nothing in particular.
    const onLink = this.#routes
      .current()
      .filter(({ destination }) => familyOf(destination) === 4 && lengthOf(destination) > 0);
    return onLink.map(({ destination }) => destination);
  }

  bridgesInUse(): readonly string[] {
    const links = listLinks(this.#socket);
    const masters = new Set(links.map(({ master }) => master));
    const bridges = links.filter(
      ({ index, group, kind }) =>
        kind?.kind === "bridge" && masters.has(index) && group !== linkGroup && group !== doomedLinkGroup,
    );
    return bridges.map(({ name }) => name);
  }

  underlayPorts(bridge: string): readonly string[] {
    return this.#lookAtLinks().othersPorts.get(bridge) ?? [];
  }

  smallLinks(): readonly string[] {
    return this.#lookAtLinks().small;
  }

  /** Whoever asks for one network's ports asks for all networks', one right after the other. */
  #lookAtLinks(): LinksGlance {
    if (this.#glance !== undefined) return this.#glance;
    queueMicrotask(() => {
      this.#glance = undefined;
    });
    this.#glance = glanceAt(listLinks(this.#socket));
    return this.#glance;
  }

  addressesOn(name: string): readonly InterfaceAddress[] {
    const link = getLink(this.#socket, name)?.index;
    if (link === undefined) return [];
    const addresses = listAddresses(this.#socket, { link }).map(({ address }) => address);
    return addresses.filter((one) => familyOf(one) === 4 || !isLinkLocal(addressPart(one)));
  }

  linksWithAdvertisedRoute(): readonly string[] {
    const indexes = this.#routes
      .current()
      .filter(({ destination }) => destination === "::/0")
      .map(({ link }) => link);
    const names = listLinks(this.#socket).filter(({ index }) => indexes.includes(index));
    return names.map(({ name }) => name);
  }

  foreignForwardChains(): readonly ForeignChain[] {
    this.#netfilter ??= inNetns(this.#fd, () => NetlinkSocket.open(NETLINK_NETFILTER));
    return foreignForwardChains(this.#netfilter);
  }

  netnsIdentity(path: string): string {
    return lastingNetnsIdentity(path);
  }

  sysctl(key: string): string | undefined {
    const path = `/proc/sys/${key}`;
    return inNetns(this.#fd, () => readIfThere(path)?.trim());
  }

  linksWith(family: Family, key: "forwarding" | "force_forwarding"): readonly string[] {
    const isOn = (name: string) =>
      (readIfThere(`/proc/sys/net/ipv${family}/conf/${name}/${key}`)?.trim() ?? "0") !== "0";
    const others = listLinks(this.#socket).filter(
      ({ flags, group }) => (flags & IFF_LOOPBACK) === 0 && group !== linkGroup && group !== doomedLinkGroup,
    );
    return inNetns(this.#fd, () =>
      others
        .map(({ name }) => name)
        .filter(isOn)
        .sort(),
    );
  }

  resolvConf(): string {
    const text = readIfPossible(this.#resolvConfPath) ?? "";
    const stub = /^nameserver[ \t]+127\.0\.0\.53[ \t]*$/m.test(text);
    return stub ? (readIfPossible(systemdResolvConf) ?? text) : text;
  }

  followResolvConf(listener: (text: string) => void): () => void {
    const paths = [this.#resolvConfPath, systemdResolvConf];
    const follower = new ResolvConfFollower({ paths, read: () => this.resolvConf(), listener });
    this.#followers.add(follower);
    return () => {
      this.#followers.delete(follower);
      follower.close();
    };
  }

  followHost(listener: (change: HostChange) => void): () => Promise<void> {
    const watch = HostWatch.open(this.#netnsPath);
    watch.events.subscribe(listener);
    return () => watch.close();
  }

  features(): readonly Feature[] {
    return probeFeatures();
  }

  missingFeature(name: FeatureName): Feature | undefined {
    if (this.#offered.has(name)) return undefined;
    const [feature] = probeFeatures([name]);
    if (feature?.available === false) return feature;
    this.#offered.add(name);
    return undefined;
  }

  close(): void {
    for (const follower of this.#followers) follower.close();
    this.#netfilter?.close();
    this.#routes.close();
    this.#socket.close();
    closeFd(this.#fd);
  }
}

/** Nothing also of a folder, or of a link that leads nowhere: then it names no servers. */
function readIfPossible(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
