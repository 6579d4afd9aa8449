import type { Id, IpAddress } from "../core/index.ts";
import type { NameLink, NetworkRef, StandingResolver } from "../dns/index.ts";
import type { Identity, NetnsRef } from "../kernel/index.ts";
import { type HeldHandler, type HeldObject, heldRanks } from "../plan/index.ts";
import type { ForwardingPlan } from "./forwarding.ts";

/** The type of held listeners. */
export const listenerType = "dns-listener";

/** A resolver's sockets at 127.0.0.11 in a sandbox. */
export interface ListenerSpec {
  readonly sandbox: Id;
  readonly netns: NetnsRef;
  readonly port: number;
}

/** The networks whose names a sandbox sees, in gateway order. */
export interface ViewSpec {
  readonly sandbox: Id;
  readonly networks: readonly NetworkRef[];
  readonly links: readonly NameLink[];
}

/** Whom a sandbox's resolver asks for names that it does not know. */
export interface ForwardingSpec extends ForwardingPlan {
  readonly sandbox: Id;
  /** The sandbox's own namespace. */
  readonly netns: NetnsRef;
}

/** An endpoint's names in its network. */
export interface NameSpec {
  readonly network: Id;
  readonly endpoint: Id;
  readonly names: readonly string[];
  readonly addresses: readonly IpAddress[];
}

/** Wants a sandbox's resolver to listen; `within` has to be there first. */
export function heldListener(spec: ListenerSpec, within: readonly Identity[]): HeldObject {
  return { kind: "held", type: listenerType, id: spec.sandbox, spec, within };
}

/** Wants a sandbox to see networks' names. It goes and comes with the listener, which lives in `within` too. */
export function heldView(spec: ViewSpec, within: readonly Identity[]): HeldObject {
  return { kind: "held", type: "dns-view", id: spec.sandbox, spec, within };
}

/** Wants a sandbox's resolver to ask others. */
export function heldForwarding(spec: ForwardingSpec, within: readonly Identity[]): HeldObject {
  return { kind: "held", type: "dns-forward", id: spec.sandbox, spec, within };
}

/** Wants an endpoint's names published. */
export function heldName(spec: NameSpec): HeldObject {
  return { kind: "held", type: "dns-name", id: spec.endpoint, spec, within: [] };
}

/** Opens a sandbox's resolver sockets, in its namespace. Throws KernelError, EADDRINUSE when the port is taken. */
export type OpenListener = (spec: ListenerSpec) => { readonly udpFd: number; readonly tcpFd: number };

/** What holds listeners, views, upstream servers and names: the resolver in its worker. `pathOf` gives a namespace's path. */
export function nameHandlers(
  dns: StandingResolver,
  openListener: OpenListener,
  pathOf: (netns: NetnsRef) => string,
): readonly HeldHandler[] {
  const forward = async ({ spec }: HeldObject) => {
    const { sandbox, netns, servers, ndots } = spec as ForwardingSpec; // only heldForwarding makes this type
    dns.forward(sandbox, {
      servers: servers.map((server) => ({ ...server, netns: pathOf(server.netns) })),
      ownNetns: pathOf(netns),
      ...(ndots === undefined ? {} : { ndots }),
    });
  };
  // A new view, and a new publication of an endpoint, take the place of the former one in one step.
  const showView = async ({ spec }: HeldObject) => {
    const { sandbox, networks, links } = spec as ViewSpec; // only heldView makes this type
    dns.view(sandbox, networks, links); // in force before any name that is published after it
  };
  const publish = async ({ spec }: HeldObject) => {
    const { network, endpoint, names, addresses } = spec as NameSpec; // only heldName makes this type
    dns.publish(network, endpoint, { names, addresses });
    await dns.flush();
  };
  return [
    {
      type: listenerType,
      rank: heldRanks.listener,
      // The sockets are open by then; who answers on them can begin later.
      alongside: true,
      acquire: async ({ spec }) => {
        const listener = spec as ListenerSpec; // only heldListener makes this type
        await dns.serve(listener.sandbox, () => openListener(listener));
      },
      release: async ({ spec }) => dns.stop((spec as ListenerSpec).sandbox), // as above
    },
    {
      type: "dns-view",
      rank: heldRanks.view,
      acquire: showView,
      change: showView,
      release: async ({ spec }) => dns.view((spec as ViewSpec).sandbox, []), // as above
    },
    {
      type: "dns-forward",
      rank: heldRanks.view,
      acquire: forward,
      change: forward,
      release: async ({ spec }) => dns.forward((spec as ForwardingSpec).sandbox, { servers: [] }), // as above
    },
    {
      type: "dns-name",
      rank: heldRanks.name,
      // It is told by then; that it is in force, many wait for together.
      alongside: true,
      acquire: publish,
      change: publish,
      release: async ({ spec }) => {
        const { network, endpoint } = spec as NameSpec; // as above
        dns.withdraw(network, endpoint);
        await dns.flush();
      },
    },
  ];
}
