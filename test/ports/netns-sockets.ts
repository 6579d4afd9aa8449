import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type ServerOpts, Socket as TcpSocket } from "node:net";
import { type IpAddress, parseAddress } from "../../src/core/index.ts";
import * as sys from "../../src/kernel/syscalls.ts";
import { socketAddress } from "../../src/ports/socket-address.ts";
import type { TestNetns } from "../netns-fixture.ts";

/** Where a socket is opened. */
type Netns = Pick<TestNetns, "run">;

// Node opens its sockets on a later turn, when the thread is back in its own namespace. These are opened
// at once and handed to it.

/** A socket as a foreign program would open it; IPv6 ones are for IPv6 alone. */
function open(address: IpAddress, type: number): number {
  const six = address.includes(":");
  const fd = sys.socket(six ? sys.AF_INET6 : sys.AF_INET, type, 0);
  if (six) sys.setsockopt(fd, sys.IPPROTO_IPV6, sys.IPV6_V6ONLY, 1);
  if (type === sys.SOCK_STREAM) sys.setsockopt(fd, sys.SOL_SOCKET, sys.SO_REUSEADDR, 1);
  return fd;
}

/** Runs `use` with a new socket in a namespace; closes it when `use` throws. */
function openIn(host: Netns, address: string, type: number, use: (fd: number, address: IpAddress) => void) {
  return host.run(() => {
    const canonical = parseAddress(address);
    const fd = open(canonical, type);
    try {
      use(fd, canonical);
      return fd;
    } catch (error) {
      sys.close(fd);
      throw error;
    }
  });
}

/** A bound socket in a namespace, as a foreign program has it; `type` is SOCK_STREAM or SOCK_DGRAM. */
export function bindIn(host: Netns, address: string, port: number, type: number): number {
  return openIn(host, address, type, (fd, at) => sys.bind(fd, socketAddress(at, port), `${address}:${port}`));
}

/** A TCP server in a namespace, which calls `serve` with each connection; both ends may be half open. */
export async function serveTcp(
  host: Netns,
  [address, port]: readonly [string, number],
  serve: (socket: TcpSocket) => void,
  options: ServerOpts = {},
): Promise<Server> {
  const fd = bindIn(host, address, port, sys.SOCK_STREAM);
  const server = createServer({ allowHalfOpen: true, ...options }, serve);
  server.listen({ fd });
  await once(server, "listening");
  return server;
}

/** A TCP connection from a namespace; may be half open. Throws KernelError when it is refused at once. */
export function connectTcp(host: Netns, address: string, port: number): TcpSocket {
  const fd = openIn(host, address, sys.SOCK_STREAM, (opened, at) =>
    sys.connect(opened, socketAddress(at, port), `${address}:${port}`),
  );
  return new TcpSocket({ fd, allowHalfOpen: true });
}

/** A UDP socket in a namespace; port 0 is any. */
export async function bindUdp(host: Netns, address: string, port = 0): Promise<UdpSocket> {
  const fd = bindIn(host, address, port, sys.SOCK_DGRAM);
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  const listening = once(socket, "listening"); // which comes at once
  socket.bind({ fd });
  await listening;
  return socket;
}

/** Closes a server or a UDP socket, and waits until it is. */
export async function closed(one: Server | UdpSocket): Promise<void> {
  const gone = once(one, "close");
  one.close();
  await gone;
}
