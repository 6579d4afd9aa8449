import { existsSync, readFileSync } from "node:fs";
import { familyOf, type Prefix } from "../core/index.ts";
import { closeFd, inNetns, openNetns } from "../kernel/index.ts";
import { NETLINK_ROUTE, NetlinkSocket, rtnetlink } from "../kernel/netlink/index.ts";

const { getLink, kindName, listLinks } = rtnetlink;

import { probeFeatures } from "./features.ts";
import type { Feature, HostFacts } from "./host-facts.ts";
import { RouteFollower } from "./route-follower.ts";

/** Where a host's resolv.conf really is when it points at systemd-resolved's own stub. */
const systemdResolvConf = "/run/systemd/resolve/resolv.conf";

/** Facts about the namespace at a path, read by netlink and from /proc/sys. */
export class LinuxFacts implements HostFacts {
  readonly #fd: number;
  readonly #socket: NetlinkSocket;
  readonly #routes: RouteFollower;
  readonly #resolvConfPath: string;

  /** Opens the namespace. `resolvConfPath` is the host's own. Throws KernelError. */
  constructor(netnsPath: string, resolvConfPath = "/etc/resolv.conf") {
    this.#resolvConfPath = resolvConfPath;
    this.#fd = openNetns(netnsPath);
    this.#socket = inNetns(this.#fd, () => NetlinkSocket.open(NETLINK_ROUTE));
    this.#routes = RouteFollower.open(this.#fd);
  }

  linkKind(name: string): string | undefined {
    const link = getLink(this.#socket, name);
    if (link === undefined) return undefined;
    return link.kind === undefined ? "device" : kindName(link.kind);
  }

  onLinkPrefixes(): readonly Prefix[] {
    const onLink = this.#routes.current().filter(({ destination }) => familyOf(destination) === 4);
    return onLink.map(({ destination }) => destination);
  }

  linksWithAdvertisedRoute(): readonly string[] {
    const indexes = this.#routes
      .current()
      .filter(({ destination }) => destination === "::/0")
      .map(({ link }) => link);
    const names = listLinks(this.#socket).filter(({ index }) => indexes.includes(index));
    return names.map(({ name }) => name);
  }

  sysctl(key: string): string | undefined {
    const path = `/proc/sys/${key}`;
    return inNetns(this.#fd, () => (existsSync(path) ? readFileSync(path, "utf8").trim() : undefined));
  }

  resolvConf(): string {
    const text = readIfThere(this.#resolvConfPath);
    const stub = /^nameserver[ \t]+127\.0\.0\.53[ \t]*$/m.test(text);
    return stub ? readIfThere(systemdResolvConf) || text : text;
  }

  features(scratch: string): readonly Feature[] {
    return probeFeatures(scratch);
  }

  close(): void {
    this.#routes.close();
    this.#socket.close();
    closeFd(this.#fd);
  }
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
