import { inNetnsAt } from "../../src/kernel/netns.ts";
import * as sys from "../../src/kernel/syscalls.ts";
import { received } from "./raw-link.ts";

/** Protocols that are listened to, IPPROTO_*. */
const protocols = [
  { domain: sys.AF_INET, numbers: [1, 6, 17] },
  { domain: sys.AF_INET6, numbers: [58, 6, 17] },
] as const;

/**
 * Hears what a namespace takes for itself: every packet of UDP, TCP and ICMP that passed its firewall, for
 * whichever port and whether a program listens there or not.
 */
export class RawHost {
  readonly #fds: readonly number[];

  private constructor(fds: readonly number[]) {
    this.#fds = fds;
  }

  /** Listens in the namespace at `netns`. Throws KernelError. */
  static open(netns: string): RawHost {
    const fds: number[] = [];
    try {
      inNetnsAt(netns, () => {
        for (const { domain, numbers } of protocols)
          for (const number of numbers) fds.push(sys.socket(domain, sys.SOCK_RAW, number));
      });
      for (const fd of fds) sys.setsockopt(fd, sys.SOL_SOCKET, sys.SO_RCVBUFFORCE, 8 << 20);
    } catch (error) {
      for (const fd of fds) sys.close(fd);
      throw error;
    }
    return new RawHost(fds);
  }

  /** What came since this was last asked: whole packets of IPv4, what IPv6 packets carried. */
  heard(): readonly Buffer[] {
    return this.#fds.flatMap((fd) => received(fd, "raw socket"));
  }

  close(): void {
    for (const fd of this.#fds) sys.close(fd);
  }
}
