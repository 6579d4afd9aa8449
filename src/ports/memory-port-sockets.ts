import type { IpAddress } from "../core/index.ts";
import { formatHostPort, type HostPort } from "./port-binding.ts";
import { PortBook } from "./port-book.ts";
import type { OpenedPort, PortSockets } from "./port-sockets.ts";
import { isUnspecified } from "./protocol.ts";

/** The ports of a host that is not there, for tests: its other programs and addresses are as the test says. */
export class MemoryPortSockets implements PortSockets {
  readonly #others = new PortBook<undefined>();
  readonly #own = new PortBook<number>();
  readonly #open = new Map<number, HostPort>();
  readonly #missing = new Set<IpAddress>();
  // No descriptor of a real process is as great, so that one used by mistake fails.
  #nextFd = 1 << 24;

  /** Every port that is open, as text, sorted. */
  get opened(): readonly string[] {
    return [...this.#open.values()].map(formatHostPort).sort();
  }

  /** Another program takes a port; throws RangeError when it cannot. */
  othersTake(hostPort: HostPort): void {
    if (this.#own.conflicts(hostPort) || this.#others.conflicts(hostPort))
      throw new RangeError(`${formatHostPort(hostPort)} is taken`);
    this.#others.add(hostPort, undefined);
  }

  /** Another program gives a port up. */
  othersGiveUp(hostPort: HostPort): void {
    this.#others.delete(hostPort);
  }

  /** The host loses an address, or never had it. */
  loseAddress(address: IpAddress): void {
    this.#missing.add(address);
  }

  /** The host gets an address back. */
  gainAddress(address: IpAddress): void {
    this.#missing.delete(address);
  }

  /** The process ends, and its sockets with it. */
  endProcess(): void {
    for (const fd of [...this.#open.keys()]) this.close(fd);
  }

  batch<T>(_count: number, work: () => T): T {
    return work();
  }

  open(hostPort: HostPort): OpenedPort {
    const { hostAddress } = hostPort;
    if (this.#missing.has(hostAddress) && !isUnspecified(hostAddress)) return { kind: "no-address" };
    if (this.#others.conflicts(hostPort) || this.#own.conflicts(hostPort)) return { kind: "taken" };
    const fd = this.#nextFd++;
    this.#own.add(hostPort, fd);
    this.#open.set(fd, hostPort);
    return { kind: "open", fd };
  }

  close(fd: number): void {
    const hostPort = this.#open.get(fd);
    if (hostPort === undefined) throw new RangeError(`fd ${fd} is no port that is open`);
    this.#own.delete(hostPort);
    this.#open.delete(fd);
  }
}
