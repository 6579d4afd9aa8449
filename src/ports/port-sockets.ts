import type { HostPort } from "./port-binding.ts";

/** What came of an attempt to take a host port. */
export type OpenedPort =
  /** `fd` is undefined when this kernel has no such protocol: then nobody else can take the port either. */
  | { readonly kind: "open"; readonly fd: number | undefined }
  /** Another program has it. */
  | { readonly kind: "taken" }
  /** The host has not got this address, or not this family of addresses. */
  | { readonly kind: "no-address" };

/** A port on 0.0.0.0 and on :: alike. */
export interface BothFamilies {
  readonly protocol: "tcp" | "udp";
  readonly hostPort: number;
}

/**
 * Takes host ports from the rest of the machine: really, by {@link LinuxPortSockets}, or in memory for
 * tests, by MemoryPortSockets.
 */
export interface PortSockets {
  /** Runs `work`, which opens about `count` ports; what must be done once for all of them is done here. */
  batch<T>(count: number, work: () => T): T;
  /** Takes one port, inside {@link batch} only. Throws KernelError for what is wrong with any port. */
  open(hostPort: HostPort): OpenedPort;
  /**
   * Takes a port on all addresses of both families by one socket, inside {@link batch} only. Undefined when
   * that cannot be, for whichever reason: {@link open} tells it of one of the two. Throws KernelError for what
   * is wrong with any port.
   */
  openBoth(port: BothFamilies): number | undefined;
  /** Gives a port back. */
  close(fd: number): void;
}
