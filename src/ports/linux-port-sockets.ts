import { type IpAddress, isIpv4 } from "../core/index.ts";
import { inNetns, isKernelError, openNetns } from "../kernel/index.ts";
import * as sys from "../kernel/syscalls.ts";
import { formatHostPort, type HostPort } from "./port-binding.ts";
import type { BothFamilies, OpenedPort, PortSockets } from "./port-sockets.ts";
import { socketAddress } from "./socket-address.ts";

/** Connections that wait to be accepted; net.core.somaxconn may allow fewer. */
const backlog = 4096;

const unspecified6 = "::" as IpAddress; // the literal is an address

/** From here on it pays to make room for all of them first: Linux's table of descriptors begins with 64. */
const manyPorts = 64;

/** Takes host ports by sockets in the namespace at a path: bound, and for tcp listening. */
export class LinuxPortSockets implements PortSockets {
  readonly #netnsPath: string;
  /** What IPV6_V6ONLY is on a new socket of the namespace, as net.ipv6.bindv6only says; looked at once a batch. */
  #usuallyOnlyIpv6: boolean | undefined;
  #isThere = false;

  constructor(netnsPath: string) {
    this.#netnsPath = netnsPath;
  }

  /** One hop into the host's namespace, for batches within `work` too. Throws KernelError when there is none. */
  batch<T>(count: number, work: () => T): T {
    if (this.#isThere) return work();
    const netns = openNetns(this.#netnsPath);
    this.#usuallyOnlyIpv6 = undefined;
    try {
      // `netns` has the lowest number that was free, and the sockets will have those after it.
      if (count >= manyPorts) sys.growDescriptorTable(netns, netns + count);
      return inNetns(netns, () => {
        this.#isThere = true;
        return work();
      });
    } finally {
      this.#isThere = false;
      sys.close(netns);
    }
  }

  open(hostPort: HostPort): OpenedPort {
    let fd: number;
    try {
      fd = openSocket(hostPort);
    } catch (error) {
      // Where the kernel has no SCTP, no other program can take a port of it either.
      if (hostPort.protocol === "sctp" && isKernelError(error, "EPROTONOSUPPORT", "ESOCKTNOSUPPORT"))
        return { kind: "open", fd: undefined };
      if (isKernelError(error, "EAFNOSUPPORT")) return { kind: "no-address" };
      throw error;
    }
    try {
      if (!isIpv4(hostPort.hostAddress)) this.#serveIpv4Too(fd, false);
      reserve(fd, hostPort);
      return { kind: "open", fd };
    } catch (error) {
      sys.close(fd);
      if (isKernelError(error, "EADDRINUSE")) return { kind: "taken" };
      if (isKernelError(error, "EADDRNOTAVAIL")) return { kind: "no-address" };
      throw error;
    }
  }

  openBoth({ protocol, hostPort }: BothFamilies): number | undefined {
    const all = { protocol, hostAddress: unspecified6, hostPort };
    let fd: number | undefined;
    try {
      fd = openSocket(all);
      this.#serveIpv4Too(fd, true);
      reserve(fd, all);
      return fd;
    } catch (error) {
      if (fd !== undefined) sys.close(fd);
      if (isKernelError(error, "EAFNOSUPPORT", "EADDRINUSE", "EADDRNOTAVAIL")) return undefined;
      throw error;
    }
  }

  close(fd: number): void {
    sys.close(fd);
  }

  /** Lets a socket of IPv6 have the port for IPv4 too, or not; told to the kernel only where it is not so already. */
  #serveIpv4Too(fd: number, too: boolean): void {
    this.#usuallyOnlyIpv6 ??= sys.getsockoptNumber(fd, sys.IPPROTO_IPV6, sys.IPV6_V6ONLY) !== 0;
    if (this.#usuallyOnlyIpv6 === too) sys.setsockopt(fd, sys.IPPROTO_IPV6, sys.IPV6_V6ONLY, too ? 0 : 1);
  }
}

function openSocket({ protocol, hostAddress }: HostPort): number {
  const type = protocol === "udp" ? sys.SOCK_DGRAM : sys.SOCK_STREAM;
  const domain = isIpv4(hostAddress) ? sys.AF_INET : sys.AF_INET6;
  return sys.socket(domain, type | sys.SOCK_NONBLOCK, protocol === "sctp" ? sys.IPPROTO_SCTP : 0);
}

function reserve(fd: number, hostPort: HostPort): void {
  const { protocol, hostAddress } = hostPort;
  const six = !isIpv4(hostAddress);
  // Else connections in TIME_WAIT would keep the port for a minute. It lets nobody in beside a listener.
  if (protocol === "tcp") sys.setsockopt(fd, sys.SOL_SOCKET, sys.SO_REUSEADDR, 1);
  // From the first datagram on, whoever answers must know which address it was sent to; of IPv4 on a socket
  // of both families it is told as a mapped one.
  if (protocol === "udp" && six) sys.setsockopt(fd, sys.IPPROTO_IPV6, sys.IPV6_RECVPKTINFO, 1);
  if (protocol === "udp" && !six) sys.setsockopt(fd, sys.IPPROTO_IP, sys.IP_PKTINFO, 1);
  sys.bind(fd, bytesOf(hostPort), () => formatHostPort(hostPort));
  if (protocol === "tcp") sys.listen(fd, backlog);
}

/** Hundreds of ports in a row are on one address of the host. */
let last: { readonly hostAddress: IpAddress; readonly bytes: Buffer } | undefined;

/** A port's socket address, until the next one is asked for. */
function bytesOf({ hostAddress, hostPort }: HostPort): Buffer {
  if (last?.hostAddress !== hostAddress) last = { hostAddress, bytes: socketAddress(hostAddress, 0) };
  last.bytes.writeUInt16BE(hostPort, 2); // where both sockaddr_in and sockaddr_in6 have it
  return last.bytes;
}
