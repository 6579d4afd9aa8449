/** Forwarding: asks upstream servers what no network of a sandbox knows, and keeps what they say. */
export { type CacheLimits, defaultCacheLimits } from "./answer-cache.ts";
export {
  defaultForwardLimits,
  Forwarder,
  type ForwarderInit,
  type ForwardLimits,
  type ForwardStats,
} from "./forwarder.ts";
export { linuxForwarder } from "./linux-forwarder.ts";
export { linuxSockets } from "./linux-sockets.ts";
export type { UpstreamStatus } from "./upstream.ts";
export { type Forwarding, resolverAddress, type UpstreamServer } from "./upstream-server.ts";
export type { UpstreamSocket, UpstreamSocketEvents, UpstreamSockets } from "./upstream-sockets.ts";
