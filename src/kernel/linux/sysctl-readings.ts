import type { Found } from "../kernel.ts";
import { isKernelError } from "../kernel-error.ts";
import type { Ipv6Conf } from "../netlink/rtnetlink/index.ts";
import type { NetnsRef } from "../netns-ref.ts";
import type { SysctlObject } from "../objects.ts";
import { readSysctl } from "./files.ts";
import type { NetnsReading } from "./link-specs.ts";
import type { Session } from "./session.ts";

/**
 * Their values now: those of a link's IPv6 as `readings` tell them, which costs nothing, and all others from
 * their files, in one visit to each namespace. Those that are not there are left out. Throws KernelError.
 */
export function readSysctls(
  session: Session,
  sysctls: readonly SysctlObject[],
  readings: readonly NetnsReading[],
): Found[] {
  const found: Found[] = [];
  const told = new ToldByLinks(readings);
  const asked = new Map<NetnsRef, SysctlObject[]>();
  for (const object of sysctls) {
    const value = told.valueOf(object);
    if (value !== undefined) {
      found.push({ object: { ...object, value }, marked: false });
      continue;
    }
    const others = asked.get(object.netns);
    if (others === undefined) asked.set(object.netns, [object]);
    else others.push(object);
  }
  for (const [netns, objects] of asked) for (const one of visit(session, netns, objects)) found.push(one);
  return found;
}

function visit(session: Session, netns: NetnsRef, objects: readonly SysctlObject[]): readonly Found[] {
  return (
    unlessGone(() =>
      session.within(netns, () =>
        objects.flatMap((object): Found[] => {
          const value = unlessGone(() => readSysctl(object.key));
          return value === undefined ? [] : [{ object: { ...object, value }, marked: false }];
        }),
      ),
    ) ?? []
  );
}

/** Undefined when the namespace is gone, or only the file is there that it was to be mounted on. */
function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isKernelError(error, "ENOENT", "EINVAL")) return undefined;
    throw error;
  }
}

const ipv6Key = /^net\/ipv6\/conf\/([^/]+)\/(\w+)$/;

/** The settings of links' IPv6, which come with the links themselves. */
class ToldByLinks {
  readonly #readings: ReadonlyMap<NetnsRef, NetnsReading>;
  /** Those of one namespace by the links' names, made when the first is asked for. */
  readonly #byLink = new Map<NetnsRef, ReadonlyMap<string, Ipv6Conf>>();

  constructor(readings: readonly NetnsReading[]) {
    this.#readings = new Map(readings.map((one) => [one.netns, one]));
  }

  valueOf({ netns, key }: SysctlObject): string | undefined {
    const [, link = "", name = ""] = ipv6Key.exec(key) ?? [];
    const conf = this.#confs(netns)?.get(link);
    if (conf === undefined || !Object.hasOwn(conf, name)) return undefined;
    return String(conf[name as keyof Ipv6Conf]); // it has this very key
  }

  #confs(netns: NetnsRef): ReadonlyMap<string, Ipv6Conf> | undefined {
    const known = this.#byLink.get(netns);
    const reading = this.#readings.get(netns);
    if (known !== undefined || reading === undefined) return known;
    const made = new Map<string, Ipv6Conf>();
    for (const { name, ipv6Conf } of reading.links) if (ipv6Conf !== undefined) made.set(name, ipv6Conf);
    this.#byLink.set(netns, made);
    return made;
  }
}
