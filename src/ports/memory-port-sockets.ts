import type { IpAddress } from "../core/index.ts";
import { formatHostPort, type HostPort } from "./port-binding.ts";
import { PortBook } from "./port-book.ts";
import type { BothFamilies, OpenedPort, PortSockets } from "./port-sockets.ts";
import { isUnspecified } from "./protocol.ts";

const addressesOfBoth = ["0.0.0.0" as IpAddress, "::" as IpAddress]; // the literals are addresses

/** The ports of a host that is not there, for tests: its other programs and addresses are as the test says. */
export class MemoryPortSockets implements PortSockets {
  readonly #others = new PortBook<undefined>();
  readonly #own = new PortBook<number>();
  readonly #open = new Map<number, readonly HostPort[]>();
  readonly #missing = new Set<IpAddress>();
  // No descriptor of a real process is as great, so that one used by mistake fails.
  #nextFd = 1 << 24;

  /** Every port that is open, as text, sorted. */
  get opened(): readonly string[] {
    return [...this.#open.values()].flat().map(formatHostPort).sort();
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
    if (this.#isTaken(hostPort)) return { kind: "taken" };
    return { kind: "open", fd: this.#openAll([hostPort]) };
  }

  openBoth(port: BothFamilies): number | undefined {
    const both = addressesOfBoth.map((hostAddress) => ({ ...port, hostAddress }));
    return both.some((one) => this.#isTaken(one)) ? undefined : this.#openAll(both);
  }

  close(fd: number): void {
    const hostPorts = this.#open.get(fd);
    if (hostPorts === undefined) throw new RangeError(`fd ${fd} is no port that is open`);
    for (const hostPort of hostPorts) this.#own.delete(hostPort);
    this.#open.delete(fd);
  }

  #isTaken(hostPort: HostPort): boolean {
    return this.#others.conflicts(hostPort) || this.#own.conflicts(hostPort);
  }

  #openAll(hostPorts: readonly HostPort[]): number {
    const fd = this.#nextFd++;
    for (const hostPort of hostPorts) this.#own.add(hostPort, fd);
    this.#open.set(fd, hostPorts);
    return fd;
  }
}
