import { isKernelError } from "../kernel/kernel-error.ts";
import * as sys from "../kernel/syscalls.ts";
import type { ProxyContext } from "./proxy-context.ts";
import { prepareTcp, resetWhenClosed, TcpSocket } from "./tcp-socket.ts";

/** Bytes passed on by one pair of calls, and calls in a row before others have their turn. */
const chunkBytes = 65_536;
const chunksInTurn = 4;

/** Holds a chunk between two calls. What a socket does not take stays in the other's queue in the kernel. */
const chunk = Buffer.alloc(chunkBytes);

/** One direction of a connection. */
interface Way {
  readonly from: TcpSocket;
  readonly to: TcpSocket;
  readonly count: "bytesIn" | "bytesOut";
  /** `from` ended, and `to` was told so. */
  ended: boolean;
  /** `to` takes nothing now. */
  blocked: boolean;
}

/**
 * One TCP connection of a client, with its own to the target: bytes both ways as fast as the slower end
 * takes them, each half ended by itself, a reset passed on. Nothing is buffered here: bytes are looked at
 * (MSG_PEEK), sent, and only as many as were sent are taken off the sender's queue.
 */
export class TcpProxyConnection {
  /** When the target must have accepted, as {@link ProxyContext.now}. */
  readonly deadline: number;
  readonly #context: ProxyContext;
  readonly #client: TcpSocket;
  readonly #target: TcpSocket;
  readonly #in: Way;
  readonly #out: Way;
  readonly #onEnd: (connection: TcpProxyConnection) => void;
  #connecting = true;
  #over = false;

  /**
   * Proxies the accepted socket `clientFd`, which is the connection's from now on, also when this throws
   * KernelError. `targetAddress` is a struct sockaddr.
   */
  constructor(
    clientFd: number,
    targetAddress: Uint8Array,
    context: ProxyContext,
    onEnd: (connection: TcpProxyConnection) => void,
  ) {
    this.#context = context;
    this.#onEnd = onEnd;
    this.deadline = context.now() + context.limits.connectTimeoutMs;
    const targetFd = openTarget(clientFd, targetAddress, context);
    this.#client = new TcpSocket(clientFd, context.poller, (events) => this.#ready(this.#client, events));
    this.#target = new TcpSocket(targetFd, context.poller, (events) => this.#ready(this.#target, events));
    const fresh = { ended: false, blocked: false };
    this.#in = { from: this.#client, to: this.#target, count: "bytesIn", ...fresh };
    this.#out = { from: this.#target, to: this.#client, count: "bytesOut", ...fresh };
    try {
      // Writable means connected, or not; what the client sends waits in its queue until then.
      this.#target.watch(sys.EPOLLOUT);
      this.#client.watch(0);
    } catch (error) {
      this.fail();
      throw error;
    }
  }

  /** True until the target has accepted. */
  get connecting(): boolean {
    return this.#connecting && !this.#over;
  }

  /** Ends both ends by a reset. */
  abort(): void {
    if (this.#over) return;
    resetWhenClosed(this.#client.fd);
    resetWhenClosed(this.#target.fd);
    this.#close();
  }

  /** {@link abort}, because the target could not be reached. */
  fail(): void {
    this.#context.counters.connectionFailures++;
    this.abort();
  }

  #ready(socket: TcpSocket, events: number): void {
    try {
      if (this.#connecting) this.#connected(socket);
      else this.#pump(socket, events);
    } catch (error) {
      if (!isKernelError(error)) throw error;
      this.abort(); // one end was reset, or cannot be reached any more: so is the other
    }
  }

  #connected(socket: TcpSocket): void {
    if (socket === this.#client) {
      this.abort(); // it did not wait
      return;
    }
    if (sys.getsockoptNumber(socket.fd, sys.SOL_SOCKET, sys.SO_ERROR) !== 0) {
      this.fail();
      return;
    }
    this.#connecting = false;
    this.#wait();
  }

  #pump(socket: TcpSocket, events: number): void {
    const [reads, writes] = socket === this.#client ? [this.#in, this.#out] : [this.#out, this.#in];
    if (events & sys.EPOLLOUT) this.#pass(writes);
    if (this.#over) return;
    if (reads.ended || reads.blocked) {
      // Nothing can be read from it now, and a socket in trouble would be told of again at once.
      if (events & sys.EPOLLERR) this.abort();
      else if (events & sys.EPOLLHUP) socket.park();
    } else if (events & ~sys.EPOLLOUT) this.#pass(reads);
    this.#wait();
  }

  /** Passes on what there is, for a turn. Throws KernelError when one end fails. */
  #pass(way: Way): void {
    way.blocked = false;
    for (let chunks = 0; chunks < chunksInTurn && !way.ended && !way.blocked; chunks++) {
      const length = sys.recvNow(way.from.fd, chunk, "a proxied connection", sys.MSG_PEEK);
      if (length === undefined) return;
      if (length === 0) {
        way.ended = true;
        sys.shutdownWrite(way.to.fd);
        return;
      }
      const sent = sys.sendNow(way.to.fd, chunk, length) ?? 0;
      way.blocked = sent < length;
      if (sent > 0) sys.discard(way.from.fd, sent);
      this.#context.counters[way.count] += sent;
    }
  }

  #wait(): void {
    if (this.#over) return;
    if (this.#in.ended && this.#out.ended) {
      this.#close();
      return;
    }
    this.#client.waitFor(readsFrom(this.#in) | writesTo(this.#out));
    this.#target.waitFor(readsFrom(this.#out) | writesTo(this.#in));
  }

  #close(): void {
    this.#over = true;
    for (const { fd } of [this.#client, this.#target]) {
      this.#context.poller.forget(fd);
      this.#context.descriptors.close(fd);
    }
    this.#onEnd(this);
  }
}

function readsFrom(way: Way): number {
  return way.ended || way.blocked ? 0 : sys.EPOLLIN;
}

function writesTo(way: Way): number {
  return way.blocked ? sys.EPOLLOUT : 0;
}

/** Begins to connect to the target; else resets the client. */
function openTarget(clientFd: number, address: Uint8Array, { descriptors, counters }: ProxyContext): number {
  let fd: number | undefined;
  try {
    const domain = address.length === 16 ? sys.AF_INET : sys.AF_INET6;
    fd = descriptors.own(sys.socket(domain, sys.SOCK_STREAM | sys.SOCK_NONBLOCK, 0));
    prepareTcp(fd);
    sys.connectNow(fd, address, "a port's target");
    return fd;
  } catch (error) {
    counters.connectionFailures++;
    if (fd !== undefined) descriptors.close(fd);
    resetWhenClosed(clientFd);
    descriptors.close(clientFd);
    throw error;
  }
}
