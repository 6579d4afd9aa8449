import { WeftError } from "../core/index.ts";
import { isKernelError } from "../kernel/kernel-error.ts";
import * as sys from "../kernel/syscalls.ts";
import type { PortProxy } from "./port-proxies.ts";
import { type ProxyContext, shortages } from "./proxy-context.ts";
import { socketAddress } from "./socket-address.ts";
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

/** Proxies the connections to one listening socket, which stays the caller's. */
export class TcpProxy {
  readonly #fd: number;
  readonly #target: Uint8Array;
  readonly #shared: TcpProxyShared;
  readonly #connections = new Set<TcpProxyConnection>();

  /** Throws KernelError when it is no listening TCP socket; then nothing is served. */
  constructor({ fd, target, targetPort }: PortProxy, shared: TcpProxyShared) {
    this.#fd = fd;
    this.#target = socketAddress(target, targetPort);
    this.#shared = shared;
    requireListening(fd);
    prepareTcp(fd);
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
    for (let accepted = 0; accepted < acceptsInTurn; accepted++) {
      if (!this.#hasRoom()) {
        this.#holdBack();
        return;
      }
      try {
        const fd = sys.acceptNow(this.#fd);
        if (fd === undefined) return;
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
    const connection = new TcpProxyConnection(clientFd, this.#target, context, (one) => this.#ended(one));
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
  if (sys.getsockopt(fd, sys.SOL_SOCKET, sys.SO_ACCEPTCONN, 4).readInt32LE(0) === 0)
    throw new WeftError("KERNEL", `fd ${fd} does not listen: a listening TCP socket is wanted`);
}
