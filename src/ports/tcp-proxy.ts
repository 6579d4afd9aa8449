import { WeftError } from "../core/index.ts";
import { isKernelError } from "../kernel/kernel-error.ts";
import * as sys from "../kernel/syscalls.ts";
import type { PortProxy } from "./port-proxies.ts";
import { type ProxyContext, shortages } from "./proxy-context.ts";
import { isMappedIpv4, socketAddress, socketAddressBytes } from "./socket-address.ts";
import { TcpProxyConnection } from "./tcp-proxy-connection.ts";
import { prepareTcp } from "./tcp-socket.ts";

/** Connections accepted before others have their turn. */
const acceptsInTurn = 64;

/** What all TCP ports of an engine share. */
export interface TcpProxyShared {
  readonly context: ProxyContext;
  /** Every connection. */
  readonly connections: Set<TcpProxyConnection>;
  /** Those whose target has not accepted yet, oldest first; some may have since. */
  readonly connecting: Set<TcpProxyConnection>;
  /** Ports that leave their clients waiting. */
  readonly heldBack: Set<TcpProxy>;
}

/** Who connected last. */
const peer = Buffer.alloc(socketAddressBytes);

/** Proxies the connections to one listening socket, which stays the caller's. */
export class TcpProxy {
  readonly #fd: number;
  readonly #target: Uint8Array;
  readonly #ipv4Target: Uint8Array | undefined;
  readonly #shared: TcpProxyShared;
  readonly #connections = new Set<TcpProxyConnection>();
  /** Whether every connection from now on is born prepared. */
  #prepared = false;

  /** Throws KernelError when it is no listening TCP socket; then nothing is served. */
  constructor({ fd, target, targetPort, ipv4Target }: PortProxy, shared: TcpProxyShared) {
    this.#fd = fd;
    this.#target = socketAddress(target, targetPort);
    this.#ipv4Target = ipv4Target && socketAddress(ipv4Target.address, ipv4Target.port);
    this.#shared = shared;
    requireListening(fd);
    shared.context.poller.add(fd, sys.EPOLLIN, () => this.#accept());
  }

  /** Accepts again, if it left clients waiting. */
  resume(): void {
    if (this.#shared.heldBack.delete(this)) this.#shared.context.poller.change(this.#fd, sys.EPOLLIN);
  }

  /** Ends it with its connections. */
  close(): void {
    this.#shared.context.poller.remove(this.#fd);
    this.#shared.heldBack.delete(this);
    for (const connection of [...this.#connections]) connection.abort();
  }

  #accept(): void {
    // Most ports are never connected to by way of the proxy, so this is left until the first time.
    if (!this.#prepared) prepareTcp(this.#fd);
    for (let accepted = 0; accepted < acceptsInTurn; accepted++) {
      if (!this.#hasRoom()) {
        this.#holdBack();
        return;
      }
      try {
        const fd = this.#ipv4Target ? sys.acceptFromNow(this.#fd, peer) : sys.acceptNow(this.#fd);
        if (fd === undefined) {
          this.#prepared = true; // those that connected earlier are all taken
          return;
        }
        this.#open(this.#shared.context.descriptors.own(fd));
      } catch (error) {
        if (isKernelError(error, ...shortages)) {
          this.#holdBack();
          return;
        }
        // The client is gone by now (accept(2) tells pending errors of the network), or the target cannot
        // be reached, which was counted.
        if (!isKernelError(error)) throw error;
      }
    }
  }

  #open(clientFd: number): void {
    const { context, connections, connecting } = this.#shared;
    context.counters.connections++;
    if (!this.#prepared) prepareTcp(clientFd); // which no TCP socket refuses
    const target = this.#ipv4Target && isMappedIpv4(peer) ? this.#ipv4Target : this.#target;
    const connection = new TcpProxyConnection(clientFd, target, context, (one) => this.#ended(one));
    this.#connections.add(connection);
    connections.add(connection);
    connecting.add(connection);
  }

  #ended(connection: TcpProxyConnection): void {
    this.#connections.delete(connection);
    this.#shared.connections.delete(connection);
    this.#shared.connecting.delete(connection);
    this.resume();
    const [next] = this.#shared.heldBack;
    next?.resume(); // what was lacking may have been room among all
  }

  #hasRoom(): boolean {
    const { limits } = this.#shared.context;
    return (
      this.#connections.size < limits.maxConnectionsPerPort &&
      this.#shared.connections.size < limits.maxConnections
    );
  }

  #holdBack(): void {
    this.#shared.context.counters.heldBack++;
    this.#shared.heldBack.add(this);
    this.#shared.context.poller.change(this.#fd, 0);
  }
}

function requireListening(fd: number): void {
  if (sys.getsockoptNumber(fd, sys.SOL_SOCKET, sys.SO_ACCEPTCONN) === 0)
    throw new WeftError("KERNEL", `fd ${fd} does not listen: a listening TCP socket is wanted`);
}
