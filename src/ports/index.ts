/**
 * Published ports: what Docker's users write, host ports kept by bound sockets, and the proxies that serve
 * those sockets where NAT cannot. Nothing here knows of networks or sandboxes.
 */
export {
  type EphemeralSettings,
  ephemeralSettings,
  fallbackRange,
  parseLocalPortRange,
  parseReservedPorts,
  portsAfter,
} from "./ephemeral-ports.ts";
export {
  HostPorts,
  type HostPortsInit,
  type PortKeeper,
  type PortRequest,
  type TakenPort,
} from "./host-ports.ts";
export { LinuxPortSockets } from "./linux-port-sockets.ts";
export { MemoryPortProxies } from "./memory-port-proxies.ts";
export { MemoryPortSockets } from "./memory-port-sockets.ts";
export { ObservedPortSockets } from "./observed-port-sockets.ts";
export { formatHostPort, type HostPort, type PortBinding } from "./port-binding.ts";
export { sharePort } from "./port-book.ts";
export {
  isTranslated,
  type PortMapElement,
  type PublishedPort,
  portChains,
  portMaps,
  portTranslation,
} from "./port-maps.ts";
export type {
  PortProxies,
  PortProxiesEvent,
  PortProxy,
  ProxyCounters,
  ProxyStats,
} from "./port-proxies.ts";
export type { BothFamilies, OpenedPort, PortSockets } from "./port-sockets.ts";
export {
  type ExposedPort,
  formatPortSpec,
  formatRange,
  type PortSpec,
  parseExposed,
  parsePortSpec,
  parsePortSpecs,
} from "./port-spec.ts";
export {
  formatSocketAddress,
  isUnspecified,
  maxPort,
  type PortProtocol,
  type PortRange,
  portProtocols,
} from "./protocol.ts";
export { type ProxyLimits, proxyLimits } from "./proxy-limits.ts";
export { ProxyService, type ProxyServiceInit } from "./proxy-service.ts";
export { StandingProxies } from "./standing-proxies.ts";
