import { WeftError } from "../core/index.ts";
import { isKernelError } from "../kernel/kernel-error.ts";
import * as sys from "../kernel/syscalls.ts";
import type { Datagram, Origin } from "./datagram.ts";
import type { PortProxy } from "./port-proxies.ts";
import type { ProxyContext } from "./proxy-context.ts";
import { isMappedIpv4, socketAddress } from "./socket-address.ts";

/** Datagrams passed on before others have their turn. */
const datagramsInTurn = 32;

/** A session is put in order again at most this often, ms; until then its place in the order is old by as much. */
const reorderMs = 1000;

/** What passes between one client and the target, on a socket of its own towards the target. */
export interface UdpSession {
  readonly fd: number;
  readonly origin: Origin;
  readonly port: UdpProxy;
  /** When a datagram passed last, either way. */
  lastSeen: number;
  /** When it came to the end of the order. */
  orderedAt: number;
  /** The target sent something. */
  answered: boolean;
}

/** What all UDP ports of an engine share. */
export interface UdpProxyShared {
  readonly context: ProxyContext;
  /** Every session, the one not used for longest first, see {@link UdpSession.orderedAt}. */
  readonly sessions: Set<UdpSession>;
  readonly datagram: Datagram;
}

/**
 * Proxies the datagrams to one bound socket, which stays the caller's. Each client has a session, so that
 * answers find back to it; they leave from the address that it sent to, whichever the host has.
 */
export class UdpProxy {
  readonly #fd: number;
  readonly #target: Uint8Array;
  readonly #ipv4Target: Uint8Array | undefined;
  readonly #shared: UdpProxyShared;
  /** By {@link Origin.key}, in the same order as all sessions. */
  readonly #sessions = new Map<string, UdpSession>();

  /** Throws KernelError when it is no UDP socket; then nothing is served. */
  constructor({ fd, target, targetPort, ipv4Target }: PortProxy, shared: UdpProxyShared) {
    this.#fd = fd;
    this.#target = socketAddress(target, targetPort);
    this.#ipv4Target = ipv4Target && socketAddress(ipv4Target.address, ipv4Target.port);
    this.#shared = shared;
    requireDatagrams(fd);
    shared.context.poller.add(fd, sys.EPOLLIN, () => this.#receive());
  }

  /** Ends it with its sessions. */
  close(): void {
    this.#shared.context.poller.remove(this.#fd);
    for (const session of [...this.#sessions.values()]) this.end(session);
  }

  /** Ends one of its sessions. */
  end(session: UdpSession): void {
    const { context, sessions } = this.#shared;
    if (!sessions.delete(session)) return;
    this.#sessions.delete(session.origin.key);
    context.poller.forget(session.fd);
    context.descriptors.close(session.fd);
  }

  #receive(): void {
    const { context, datagram } = this.#shared;
    for (let turn = 0; turn < datagramsInTurn; turn++) {
      try {
        const length = datagram.receive(this.#fd);
        if (length === undefined) return;
        this.#passOn(datagram.originKey(), length);
      } catch (error) {
        if (!isKernelError(error)) throw error;
        context.counters.datagramsDropped++; // an error of the network, told once
      }
    }
  }

  #passOn(key: string, length: number): void {
    const { context, datagram } = this.#shared;
    const session = this.#sessions.get(key) ?? this.#begin(datagram.origin(key));
    if (session === undefined) {
      context.counters.datagramsDropped++;
      return;
    }
    this.#used(session);
    try {
      if (sys.sendNow(session.fd, datagram.payload, length) === undefined)
        context.counters.datagramsDropped++;
      else context.counters.bytesIn += length;
    } catch (error) {
      this.#failed(session, error);
      context.counters.datagramsDropped++;
    }
  }

  #answer(session: UdpSession): void {
    const { datagram } = this.#shared;
    try {
      for (let turn = 0; turn < datagramsInTurn; turn++) {
        const length = sys.recvNow(session.fd, datagram.payload, "a port's target");
        if (length === undefined) return;
        session.answered = true;
        this.#used(session);
        this.#sendBack(session.origin, length);
      }
    } catch (error) {
      this.#failed(session, error);
    }
  }

  #sendBack(origin: Origin, length: number): void {
    const { counters } = this.#shared.context;
    try {
      if (this.#shared.datagram.answer(this.#fd, origin, length)) counters.bytesOut += length;
      else counters.datagramsDropped++;
    } catch (error) {
      if (!isKernelError(error)) throw error;
      counters.datagramsDropped++; // this client cannot be reached now
    }
  }

  /** The target refused, or cannot be reached: the next datagram begins anew. */
  #failed(session: UdpSession, error: unknown): void {
    if (!isKernelError(error)) throw error;
    if (isKernelError(error, "EMSGSIZE", "EPERM", "ENOBUFS")) return; // of this datagram alone
    this.#shared.context.counters.sessionFailures++;
    this.end(session);
  }

  /** Undefined when the target cannot be reached, which was counted. */
  #begin(origin: Origin): UdpSession | undefined {
    const { context, sessions } = this.#shared;
    this.#makeRoom();
    let fd: number | undefined;
    try {
      fd = this.#connect(this.#ipv4Target && isMappedIpv4(origin.name) ? this.#ipv4Target : this.#target);
      const now = context.now();
      const session: UdpSession = { fd, origin, port: this, lastSeen: now, orderedAt: now, answered: false };
      context.poller.add(fd, sys.EPOLLIN, () => this.#answer(session));
      this.#sessions.set(origin.key, session);
      sessions.add(session);
      context.counters.sessions++;
      return session;
    } catch (error) {
      if (!isKernelError(error)) throw error;
      if (fd !== undefined) context.descriptors.close(fd);
      context.counters.sessionFailures++;
      return undefined;
    }
  }

  /** A socket of a session's own towards a target. Throws KernelError; then there is none. */
  #connect(target: Uint8Array): number {
    const { descriptors } = this.#shared.context;
    const domain = target.length === 16 ? sys.AF_INET : sys.AF_INET6;
    const fd = descriptors.own(sys.socket(domain, sys.SOCK_DGRAM | sys.SOCK_NONBLOCK, 0));
    try {
      sys.connect(fd, target, "a port's target");
      return fd;
    } catch (error) {
      descriptors.close(fd);
      throw error;
    }
  }

  #makeRoom(): void {
    const { context, sessions } = this.#shared;
    const full = this.#sessions.size >= context.limits.maxSessionsPerPort;
    const [oldest] = full ? this.#sessions.values() : sessions;
    if (oldest === undefined || (!full && sessions.size < context.limits.maxSessions)) return;
    context.counters.sessionsEvicted++;
    oldest.port.end(oldest);
  }

  #used(session: UdpSession): void {
    const { context, sessions } = this.#shared;
    const now = context.now();
    session.lastSeen = now;
    if (now - session.orderedAt < reorderMs) return;
    session.orderedAt = now;
    sessions.delete(session);
    sessions.add(session);
    this.#sessions.delete(session.origin.key);
    this.#sessions.set(session.origin.key, session);
  }
}

/** Ends the sessions that stood still for too long. */
export function endIdleSessions({ context, sessions }: UdpProxyShared): void {
  const { sessionIdleMs, sessionAnsweredIdleMs } = context.limits;
  const now = context.now();
  for (const session of sessions) {
    // Those after it were used later still.
    if (now - session.orderedAt < sessionIdleMs) return;
    if (now - session.lastSeen >= (session.answered ? sessionAnsweredIdleMs : sessionIdleMs))
      session.port.end(session);
  }
}

function requireDatagrams(fd: number): void {
  if (sys.getsockoptNumber(fd, sys.SOL_SOCKET, sys.SO_TYPE) !== sys.SOCK_DGRAM)
    throw new WeftError("KERNEL", `fd ${fd} takes no datagrams: a UDP socket is wanted`);
}
