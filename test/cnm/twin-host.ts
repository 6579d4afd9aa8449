import { addressPart, type InterfaceAddress, leastMtu, parseMac } from "../../src/core/index.ts";
import { FixedFacts, type HostLink, type HostVlan } from "../../src/facts/index.ts";
import {
  type AddressQuestion,
  type HeldAddress,
  hostNetns,
  identityOf,
  type KernelObject,
  linkIdentity,
  MemoryKernel,
} from "../../src/kernel/index.ts";

/** The kernel's twin, which can be asked for a link. */
export class TwinKernel extends MemoryKernel {
  /** A host's link of that name, whoever made it. */
  hostLink(name: string): KernelObject | undefined {
    const identity = linkIdentity(hostNetns, name);
    return this.all().find(({ object }) => identityOf(object) === identity)?.object;
  }
}

/** Of all links of the twin's. */
const twinMac = parseMac("02:00:00:00:00:fe");

/** That of every host, which the twin's kernel does not know. */
const loopback: HostLink = {
  name: "lo",
  kind: "device",
  mtu: 65536,
  loopback: true,
  up: true,
  running: true,
  ours: false,
};

/** Facts about a host whose kernel is the twin. */
export class TwinFacts extends FixedFacts {
  /** What VLAN sub-interfaces of others are, by their names. */
  readonly vlans = new Map<string, HostVlan>();
  /** Other names of links, as systemd gives them, with the links' own. */
  readonly altnames = new Map<string, string>();
  readonly #kernel: TwinKernel;

  constructor(kernel: TwinKernel, resolvConf: string) {
    super();
    this.#kernel = kernel;
    this.resolvConfText = resolvConf;
  }

  override linkKind(name: string): string | undefined {
    const link = this.#kernel.hostLink(name);
    if (link?.kind !== "link") return undefined;
    return link.spec.type === "adopted" ? (this.links.get(name) ?? "bridge") : link.spec.type;
  }

  /** As on a real host, its own links' addresses are held too. */
  override async heldAddresses(link: string, question: AddressQuestion): Promise<readonly HeldAddress[]> {
    const answered = await super.heldAddresses(link, question);
    const own = this.#kernel.all().flatMap(({ object }) => {
      const is = object.kind === "address" && object.netns === hostNetns && object.link === link;
      return is ? [addressPart(object.address)] : [];
    });
    const held = question.addresses.filter((address) => own.includes(address));
    return [...answered, ...held.map((address) => ({ address, mac: twinMac }))];
  }

  override link(asked: string): HostLink | undefined {
    const name = this.altnames.get(asked) ?? asked;
    if (name === "lo") return loopback;
    const kind = this.linkKind(name);
    const found = this.#kernel.all();
    const there = found.find(({ object }) => identityOf(object) === linkIdentity(hostNetns, name));
    if (kind === undefined || there?.object.kind !== "link") return undefined;
    const { mtu = 1500, mac = parseMac("02:00:00:00:00:aa"), spec } = there.object;
    const on = (wanted: KernelObject["kind"]) =>
      found.find(
        ({ object }) =>
          object.kind === wanted && "link" in object && object.netns === hostNetns && object.link === name,
      )?.object;
    const up = on("up") !== undefined;
    const port = on("port");
    return {
      name,
      kind,
      mtu,
      mac,
      loopback: false,
      up,
      running: up,
      ours: there.marked,
      master: port?.kind === "port" ? port.master : undefined,
      vlan:
        spec.type === "vlan"
          ? { parent: spec.parent, id: spec.id, protocol: spec.protocol }
          : this.vlans.get(name),
    };
  }

  override linksOn(name: string): readonly HostLink[] {
    return this.#kernel.all().flatMap(({ object }) => {
      if (object.kind !== "link" || object.netns !== hostNetns) return [];
      const below = "parent" in object.spec ? object.spec.parent : this.vlans.get(object.name)?.parent;
      return below === name ? (this.link(object.name) ?? []) : [];
    });
  }

  override underlayPorts(bridge: string): readonly string[] {
    const ports = this.#kernel
      .all()
      .flatMap(({ object, marked }) => (object.kind === "port" && !marked ? [object] : []));
    return ports
      .filter(({ netns, master }) => netns === hostNetns && master === bridge)
      .map(({ link }) => link)
      .sort();
  }

  override smallLinks(): readonly string[] {
    return this.#kernel
      .all()
      .flatMap(({ object }) =>
        object.kind === "link" && object.netns === hostNetns && (object.mtu ?? 1500) < leastMtu.ipv6
          ? [object.name]
          : [],
      )
      .sort();
  }

  override addressesOn(link: string): readonly InterfaceAddress[] {
    return this.#kernel
      .all()
      .flatMap(({ object }) =>
        object.kind === "address" && object.netns === hostNetns && object.link === link
          ? [object.address]
          : [],
      );
  }

  override sysctl(key: string): string | undefined {
    const found = this.#kernel
      .all()
      .find(({ object }) => object.kind === "sysctl" && object.netns === hostNetns && object.key === key);
    return found?.object.kind === "sysctl" ? found.object.value : super.sysctl(key);
  }
}
