import type { IpAddress } from "../core/index.ts";
export interface ProxiedPort {
  readonly id: string;
  readonly protocol: "tcp" | "udp";
  readonly fd: number;
  readonly target: IpAddress;
  readonly targetPort: number;
}
export interface PortProxies {
  serve(ports: readonly ProxiedPort[]): Promise<void>;
  stop(ids: readonly string[]): Promise<void>;
}
export const noProxies: PortProxies = { serve: async () => {}, stop: async () => {} };
