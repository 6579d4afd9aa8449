/**
 * The embedded DNS: names of endpoints, answered to sandboxes. {@link DnsService} is all of it, in a
 * thread of its own, and {@link StandingResolver} replaces one whose thread ended; the rest is for whoever wants the
 * parts.
 */
export { type DnsCounters, newCounters } from "./counters.ts";
export { DnsHost, type DnsHostInit, type DnsStats } from "./dns-host.ts";
export { DnsService, type DnsServiceEvent, type DnsServiceInit } from "./dns-service.ts";
export {
  defaultForwardLimits,
  Forwarder,
  type ForwarderInit,
  type Forwarding,
  type ForwardLimits,
  type ForwardStats,
  linuxForwarder,
  linuxSockets,
  resolverAddress,
  type UpstreamServer,
  type UpstreamSocket,
  type UpstreamSocketEvents,
  type UpstreamSockets,
  type UpstreamStatus,
} from "./forward/index.ts";
export type { Listener } from "./listener.ts";
export { isDnsName } from "./name.ts";
export { NameTable, type Publication } from "./name-table.ts";
export { createView, type NameLink, type NameView, type NetworkRef } from "./name-view.ts";
export type { Transport } from "./protocol.ts";
export type { AskingQuery, Question } from "./query.ts";
export { type RandomBelow, ttlSeconds } from "./resolver.ts";
export {
  createResponder,
  type Forward,
  type ForwardRequest,
  type Reply,
  type Respond,
  type ResponderInit,
  type Upstreams,
} from "./responder.ts";
export { type ServerFds, type ServerInit, serveDns } from "./server.ts";
export { type OpenSockets, StandingResolver, type StandingResolverInit } from "./standing-resolver.ts";
export { defaultTcpLimits, type TcpLimits } from "./tcp-connection.ts";
