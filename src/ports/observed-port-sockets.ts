import { readFileSync } from "node:fs";
import { addressFromBytes, type IpAddress, isLoopback, parseIpv4 } from "../core/index.ts";
import { closeFd, inNetns, openNetns } from "../kernel/index.ts";
import { MemoryPortSockets } from "./memory-port-sockets.ts";
import { formatHostPort, type HostPort } from "./port-binding.ts";
import type { OpenedPort } from "./port-sockets.ts";
import { isUnspecified, type PortProtocol } from "./protocol.ts";

/** The kernel's lists of sockets, by protocol. */
const socketFiles: readonly (readonly [PortProtocol, file: string])[] = [
  ["tcp", "tcp"],
  ["tcp", "tcp6"],
  ["udp", "udp"],
  ["udp", "udp6"],
];

/** TCP_LISTEN of include/net/tcp_states.h, as the lists write it. */
const listening = "0A";

/**
 * Ports of the host at a path, as {@link LinuxPortSockets} would find them, taken in memory only: for trying
 * out. It knows what other programs listen on now; what is bound and not listening yet it cannot see, nor SCTP.
 */
export class ObservedPortSockets extends MemoryPortSockets {
  readonly #addresses: ReadonlySet<IpAddress>;

  /** `own` are ports that are not others': the controller's. Throws KernelError when there is no such namespace. */
  constructor(netnsPath: string, own: readonly HostPort[]) {
    super();
    const netns = openNetns(netnsPath);
    try {
      this.#addresses = inNetns(netns, hostAddresses);
      const mine = new Set(own.map(formatHostPort));
      for (const port of inNetns(netns, openPorts)) {
        if (mine.has(formatHostPort(port))) continue;
        try {
          this.othersTake(port);
        } catch {
          // Several sockets may share a port.
        }
      }
    } finally {
      closeFd(netns);
    }
  }

  override open(hostPort: HostPort): OpenedPort {
    const { hostAddress } = hostPort;
    const there = isUnspecified(hostAddress) || isLoopback(hostAddress) || this.#addresses.has(hostAddress);
    return there ? super.open(hostPort) : { kind: "no-address" };
  }
}

function openPorts(): readonly HostPort[] {
  return socketFiles.flatMap(([protocol, file]) =>
    linesOf(file)
      .slice(1)
      .flatMap((line): HostPort[] => {
        // sl local_address rem_address st ...
        const [, local = "", , state] = line.trim().split(/\s+/);
        if (protocol === "tcp" && state !== listening) return [];
        const [address = "", port = ""] = local.split(":");
        const hostAddress = addressOf(address);
        return hostAddress === undefined
          ? []
          : [{ protocol, hostAddress, hostPort: Number.parseInt(port, 16) }];
      }),
  );
}

/** An address as the lists have it: words of 32 bits as the machine reads them, in hexadecimal. */
function addressOf(hex: string): IpAddress | undefined {
  if (hex.length !== 8 && hex.length !== 32) return undefined;
  const bytes = Buffer.from(hex, "hex");
  return addressFromBytes(bytes.swap32()); // all machines that weft runs on are little-endian
}

/** The addresses that the host has itself. */
function hostAddresses(): ReadonlySet<IpAddress> {
  const addresses = new Set<IpAddress>();
  let last = "";
  for (const line of linesOf("fib_trie")) {
    const [, address] = /\|-- ([0-9.]+)$/.exec(line) ?? [];
    if (address !== undefined) last = address;
    else if (line.includes("/32 host LOCAL")) addresses.add(parseIpv4(last));
  }
  for (const line of linesOf("if_inet6")) {
    const bytes = Buffer.from(line.slice(0, 32), "hex");
    if (bytes.length === 16) addresses.add(addressFromBytes(bytes));
  }
  return addresses;
}

/** Lines of a file about the calling thread's namespace; none where this kernel has no such file. */
function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(`/proc/thread-self/net/${file}`, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  } catch {
    return [];
  }
}
