import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { resolverTable } from "../src/cnm/resolver-table.ts";
import { bridgeTable, element } from "../src/drivers/bridge/table.ts";
import { inNetns, openNetns, removeNetns } from "../src/kernel/index.ts";
import {
  createNetns,
  inNetnsAt,
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  NetlinkSocket,
  nftables,
  parseAddress,
  parseInterfaceAddress,
  parsePrefix,
  rtnetlink,
} from "../src/kernel/netlink/index.ts";
import { close } from "../src/kernel/syscalls.ts";

const { addAddress, addRoute, changeLink, createLink, deleteLink, setBridgePort } = rtnetlink;

/**
 * The kernel's own share of weft's operations: the same results by the fewest netlink requests, with no
 * fabric, no records and no names. Everything is made in one host namespace.
 */
export class BareNetlink {
  readonly #folder: string;
  readonly #hostFd: number;
  readonly #route: NetlinkSocket;
  readonly #netfilter: NetlinkSocket;
  #index = 1 << 20;

  /** Works in the namespace at `host`; `folder` is for the namespaces of sandboxes. */
  constructor(host: string, folder: string) {
    this.#folder = folder;
    this.#hostFd = openNetns(host);
    this.#route = inNetns(this.#hostFd, () => NetlinkSocket.open(NETLINK_ROUTE));
    this.#netfilter = inNetns(this.#hostFd, () => NetlinkSocket.open(NETLINK_NETFILTER));
    nftables.commit(this.#netfilter, nftables.createTable(bridgeTable.definition));
  }

  /** A bridge with its address, up, in the rule set. Gives its index. */
  createNetwork(n: number): number {
    const index = this.#index++;
    const name = `bench${n}`;
    const [a, b] = [n >> 8, n & 0xff];
    request(this.#route, [
      createLink({ name, kind: { kind: "bridge" }, index, group: 7 }),
      changeLink(index, { alias: name }),
    ]);
    inNetns(this.#hostFd, () => writeFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "1"));
    request(this.#route, [
      addAddress({ link: index, address: parseInterfaceAddress(`11.${a}.${b}.1/24`) }),
      changeLink(index, { up: true }),
    ]);
    const elements = [
      element("ifs", [name]),
      element("icc", [name, name]),
      element("masq4", [`11.${a}.${b}.0/24`]),
    ];
    nftables.commit(
      this.#netfilter,
      elements.flatMap((one) => nftables.addElements(one, one.type, [one.element])),
    );
    return index;
  }

  /** Takes it out of the rule set and deletes it. */
  deleteNetwork(n: number, index: number): void {
    const name = `bench${n}`;
    const [a, b] = [n >> 8, n & 0xff];
    const elements = [
      element("ifs", [name]),
      element("icc", [name, name]),
      element("masq4", [`11.${a}.${b}.0/24`]),
    ];
    nftables.commit(
      this.#netfilter,
      elements.flatMap((one) => nftables.deleteElements(one, one.type, [one.element])),
    );
    request(this.#route, [deleteLink(index)]);
  }

  /** A namespace with its files and its loopback up. Gives its path. */
  createSandbox(n: number): string {
    const path = join(this.#folder, `bare${n}`);
    createNetns(path);
    const files = `${path}.files`;
    mkdirSync(files);
    for (const name of ["hosts", "resolv.conf", "hostname"])
      writeFileSync(join(files, name), "127.0.0.1\tlocalhost\n");
    withSocket(path, NETLINK_ROUTE, (socket) => request(socket, [changeLink("lo", { up: true })]));
    return path;
  }

  /** A veth pair from the bridge into the sandbox with address, route, and the rule that leads to a resolver. Gives its index. */
  join(n: number, bridge: number, sandbox: string, host: number): number {
    const index = this.#index++;
    const fd = openNetns(sandbox);
    try {
      const peer = { name: "eth0", index: 10, netnsFd: fd };
      request(this.#route, [
        createLink({
          name: `veth${n}`,
          kind: { kind: "veth", peer },
          index,
          group: 7,
          master: bridge,
          up: true,
        }),
        setBridgePort(index, { hairpin: false, isolated: false }),
        changeLink(index, { addrGenMode: "none" }),
      ]);
      inNetns(fd, () => writeFileSync("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", "1"));
      const subnet = `11.${host >> 8}.${host & 0xff}`;
      withSocket(sandbox, NETLINK_ROUTE, (socket) =>
        request(socket, [
          addAddress({ link: 10, address: parseInterfaceAddress(`${subnet}.2/24`) }),
          changeLink(10, { up: true }),
          addRoute({ destination: parsePrefix("0.0.0.0/0"), gateway: parseAddress(`${subnet}.1`), link: 10 }),
        ]),
      );
      withSocket(sandbox, NETLINK_NETFILTER, (socket) =>
        nftables.commit(socket, nftables.createTable(resolverTable(sandbox, 61053).definition)),
      );
    } finally {
      close(fd);
    }
    return index;
  }

  /** Deletes the veth pair. */
  leave(index: number): void {
    request(this.#route, [deleteLink(index)]);
  }

  deleteSandbox(path: string): void {
    removeNetns(path);
    rmSync(`${path}.files`, { recursive: true });
  }

  close(): void {
    this.#route.close();
    this.#netfilter.close();
    close(this.#hostFd);
  }
}

function request(socket: NetlinkSocket, requests: Parameters<NetlinkSocket["request"]>[0]): void {
  for (const outcome of socket.request(requests)) if (outcome !== undefined) throw outcome;
}

function withSocket(netns: string, family: number, work: (socket: NetlinkSocket) => void): void {
  const socket = inNetnsAt(netns, () => NetlinkSocket.open(family));
  try {
    work(socket);
  } finally {
    socket.close();
  }
}
