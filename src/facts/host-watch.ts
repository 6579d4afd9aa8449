import { Events, runAll, type WeftError } from "../core/index.ts";
import {
  closeFd,
  doomedLinkGroup,
  inNetns,
  isKernelError,
  linkGroup,
  openNetns,
  protocolNumber,
} from "../kernel/index.ts";
import {
  type MonitorEvent,
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  NetlinkMonitor,
  NetlinkSocket,
  nftables,
  rtnetlink,
} from "../kernel/netlink/index.ts";
import { type ForeignRules, RuleSetChanges } from "./rule-set-changes.ts";

/** What somebody else changed of the host, as far as it concerns weft. */
export type HostChange =
  | ForeignRules
  /** Links of weft's that went, went down or lost what they had, by their names. */
  | { readonly change: "links"; readonly links: readonly string[] }
  /** Links that are not weft's that came, went, or changed as it matters to what is built on them, by their names. */
  | { readonly change: "other links"; readonly links: readonly string[] }
  /** The kernel had more to tell than there was room for: anything may have changed. */
  | { readonly change: "unknown" }
  /** Nothing more will be told. */
  | { readonly change: "ended"; readonly error: WeftError };

const { decodeAddress, decodeLink, decodeRoute, getLink } = rtnetlink;
const linkGroups = [
  rtnetlink.RTNLGRP_LINK,
  rtnetlink.RTNLGRP_IPV4_IFADDR,
  rtnetlink.RTNLGRP_IPV6_IFADDR,
  rtnetlink.RTNLGRP_IPV4_ROUTE,
  rtnetlink.RTNLGRP_IPV6_ROUTE,
];

/** The kernel's room for what is told while hundreds of links are deleted at once, bytes. */
const defaultReceiveBufferBytes = 16 * 1024 * 1024;

/**
 * Tells when somebody else changes the rule set of a host, takes something from weft's links there, or changes
 * the links that weft's may be built on: told by the kernel, never asked for. What this process does itself is passed over: transactions of the
 * calling thread, all that completes a link, and what becomes of links that weft is deleting. Not so what
 * it changes of a link that stays, such as its MTU. How things are when it begins is how they should be:
 * whoever needs to know what was amiss before reads the host after. It does not keep the process alive.
 */
export class HostWatch {
  readonly events = new Events<HostChange>();
  readonly #rules: NetlinkMonitor;
  readonly #links: NetlinkMonitor;
  /** For the names of links that an address or a route was taken from. */
  readonly #socket: NetlinkSocket;

  private constructor(rules: NetlinkMonitor, links: NetlinkMonitor, socket: NetlinkSocket) {
    this.#rules = rules;
    this.#links = links;
    this.#socket = socket;
    const changes = new RuleSetChanges();
    rules.subscribe((events) => {
      this.#tell(changes.from(messagesOf(events)), events);
      if (events.some(({ kind }) => kind === "overrun")) changes.reset();
    });
    links.subscribe((events) => this.#tell(this.#linkChanges(events), events));
  }

  /**
   * Begins to watch the namespace at a path, from the thread that changes it. `receiveBufferBytes` is the
   * kernel's room for each of its two sockets; see {@link NetlinkMonitor}. Throws KernelError.
   */
  static open(netnsPath: string, receiveBufferBytes = defaultReceiveBufferBytes): HostWatch {
    const fd = openNetns(netnsPath);
    const opened: (() => unknown)[] = [];
    try {
      const socket = inNetns(fd, () => NetlinkSocket.open(NETLINK_ROUTE));
      opened.push(() => socket.close());
      const rules = watchRules(fd, receiveBufferBytes);
      opened.push(() => rules.close());
      return new HostWatch(rules, watchLinks(fd, receiveBufferBytes), socket);
    } catch (error) {
      for (const close of opened) void close();
      throw error;
    } finally {
      closeFd(fd);
    }
  }

  /** Resolves when all that happened until now was told. Rejects when it is no longer followed. */
  async flush(): Promise<void> {
    await Promise.all([this.#rules.flush(), this.#links.flush()]);
  }

  /** Stops watching; nothing is told from now on. */
  async close(): Promise<void> {
    await runAll("close the watch", [
      () => this.#socket.close(),
      () => this.#rules.close(),
      () => this.#links.close(),
    ]);
  }

  #tell(changes: readonly HostChange[], events: readonly MonitorEvent[]): void {
    for (const change of changes) this.events.emit(change);
    for (const event of events) {
      if (event.kind === "overrun") this.events.emit({ change: "unknown" });
      else if (event.kind === "failed") this.events.emit({ change: "ended", error: event.error });
    }
  }

  #linkChanges(events: readonly MonitorEvent[]): readonly HostChange[] {
    const links = new Set<string>();
    const others = new Set<string>();
    for (const message of messagesOf(events)) {
      const index = decodeAddress(message)?.link ?? decodeRoute(message)?.link;
      try {
        // Where the link itself has gone meanwhile, that is told too.
        const link = index === undefined ? decodeLink(message) : getLink(this.#socket, index);
        if (link === undefined) continue;
        (link.group === linkGroup ? links : others).add(link.name);
        // A bridge may get a port that leads elsewhere than to sandboxes.
        const master = link.group === linkGroup ? undefined : link.master;
        const bridge = master === undefined ? undefined : getLink(this.#socket, master);
        if (bridge !== undefined) others.add(bridge.name);
      } catch (error) {
        if (!isKernelError(error)) throw error;
        return [{ change: "unknown" }];
      }
    }
    return [
      ...(links.size === 0 ? [] : [{ change: "links", links: [...links] } as const]),
      ...(others.size === 0 ? [] : [{ change: "other links", links: [...others] } as const]),
    ];
  }
}

function messagesOf(events: readonly MonitorEvent[]) {
  return events.flatMap((event) => (event.kind === "message" ? [event.message] : []));
}

function watchRules(netnsFd: number, receiveBufferBytes: number): NetlinkMonitor {
  const socket = inNetns(netnsFd, () => NetlinkSocket.open(NETLINK_NETFILTER));
  try {
    const exceptThread = nftables.askGeneration(socket).pid;
    const groups = [nftables.NFNLGRP_NFTABLES];
    const filter = { filter: "generations", exceptThread } as const;
    return NetlinkMonitor.open({
      netnsFd,
      family: NETLINK_NETFILTER,
      groups,
      filter,
      receiveBufferBytes,
      background: true,
    });
  } finally {
    socket.close();
  }
}

function watchLinks(netnsFd: number, receiveBufferBytes: number): NetlinkMonitor {
  return NetlinkMonitor.open({
    netnsFd,
    family: NETLINK_ROUTE,
    groups: linkGroups,
    filter: {
      filter: "disturbed-links",
      group: linkGroup,
      doomedGroup: doomedLinkGroup,
      routeProtocol: protocolNumber,
    },
    receiveBufferBytes,
    background: true,
  });
}
