import { addressPart, parseMac } from "../../src/core/index.ts";
import { FixedFacts } from "../../src/facts/index.ts";
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

/** Facts about a host whose kernel is the twin. */
export class TwinFacts extends FixedFacts {
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

  override sysctl(key: string): string | undefined {
    const found = this.#kernel
      .all()
      .find(({ object }) => object.kind === "sysctl" && object.netns === hostNetns && object.key === key);
    return found?.object.kind === "sysctl" ? found.object.value : super.sysctl(key);
  }
}
