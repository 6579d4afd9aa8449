import { addressPart, defaultPrefix, type Id, shortId } from "../core/index.ts";
import type { NameLink } from "../dns/index.ts";
import type { Driver, JoinAnswer } from "../drivers/index.ts";
import { type KernelObject, netnsIdentityOf } from "../kernel/index.ts";
import type { HeldObject, OwnerId, Wanted } from "../plan/index.ts";
import { driverEndpoint, driverJoin, driverNetwork, sandboxNetns } from "./driver-views.ts";
import { withEndpointOptions } from "./endpoint-options.ts";
import { forwardingOf } from "./forwarding.ts";
import { type Attachment, gatewayFor, inGatewayOrder } from "./gateway-order.ts";
import { heldForwarding, heldListener, heldName, heldView } from "./held-names.ts";
import type { Paths } from "./paths.ts";
import type { EndpointRecord, NetworkRecord, SandboxRecord } from "./records.ts";
import { resolverTable } from "./resolver-table.ts";
import { hostnameFile, hostsFile, resolvConfFile } from "./sandbox-files.ts";

/** The owner of what a network needs. */
export function networkOwner(id: Id): OwnerId {
  return `network:${id}`;
}

/** The owner of what an endpoint in a sandbox needs. */
export function endpointOwner(id: Id): OwnerId {
  return `endpoint:${id}`;
}

/** The owner of what a sandbox itself needs. */
export function sandboxOwner(id: Id): OwnerId {
  return `sandbox:${id}`;
}

/** What the host must hold for a network. */
export function planNetwork(driver: Driver, network: NetworkRecord): readonly Wanted[] {
  return driver.planNetwork(driverNetwork(network));
}

/** What the host must hold for an endpoint in a sandbox: its interface, and its names once that is up. */
export function planEndpoint(
  driver: Driver,
  paths: Paths,
  network: NetworkRecord,
  endpoint: EndpointRecord,
  sandbox: SandboxRecord,
): readonly Wanted[] {
  const { join } = endpoint;
  if (join?.answer === undefined) return [];
  const joined = driverJoin(paths, sandbox, join);
  const interfaces = withEndpointOptions(
    driver.planEndpoint(driverNetwork(network), driverEndpoint(endpoint), joined, join.answer),
    endpoint,
    joined.netns,
    join.ifname,
  );
  const routes = staticRoutes(joined.netns, join.ifname, join.answer);
  const names = driver.capabilities.names ? [{ object: publishedName(network, endpoint, sandbox) }] : [];
  return [...interfaces, ...routes, ...names];
}

function staticRoutes(netns: string, link: string, answer: JoinAnswer): readonly Wanted[] {
  return answer.staticRoutes.map(({ destination, gateway }) => ({
    object: { kind: "route", netns, link, destination, gateway, metric: 0 } satisfies KernelObject,
  }));
}

/** The names by which others find the endpoint: the container's, aliases, the short id, the host name (LN §1.8). */
function publishedName(network: NetworkRecord, endpoint: EndpointRecord, sandbox: SandboxRecord): HeldObject {
  const names = [
    sandbox.containerId,
    endpoint.name,
    ...endpoint.aliases,
    shortId(sandbox.id),
    sandbox.hostname,
  ];
  const addresses = endpoint.addresses.map(({ address }) => addressPart(address));
  return heldName({
    network: network.id,
    endpoint: endpoint.id,
    names: [...new Set(names)].filter((name) => name !== ""),
    addresses,
  });
}

/** What a sandbox's plan takes from its networks' drivers. */
export interface SandboxSurroundings {
  readonly hasNames: (network: NetworkRecord) => boolean;
  /** What its published ports need. */
  readonly ports: readonly Wanted[];
}

/**
 * What the host must hold for a sandbox itself: its namespace, its files, the way out, and the resolver,
 * which its resolv.conf leads to while it is on a network that has names. `attachments` are in the order in which they joined.
 */
export function planSandbox(
  paths: Paths,
  sandbox: SandboxRecord,
  attachments: readonly Attachment[],
  { hasNames, ports }: SandboxSurroundings,
): readonly Wanted[] {
  const netns = sandboxNetns(paths, sandbox);
  const ordered = inGatewayOrder(attachments);
  const named = ordered.filter(({ network }) => hasNames(network));
  const names = named.length > 0 && !sandbox.hostNetns;
  const file = (name: "hosts" | "resolv.conf" | "hostname", content: string): KernelObject => ({
    kind: "file",
    path: paths.file(sandbox.id, name),
    content,
  });
  const objects: (KernelObject | HeldObject)[] = [
    file("hosts", hostsFile(sandbox, attachments)),
    file("resolv.conf", resolvConfFile(sandbox, names)),
    file("hostname", hostnameFile(sandbox)),
  ];
  if (!sandbox.hostNetns) {
    objects.push(
      { kind: "netns", netns, from: sandbox.externalNetns, identity: sandbox.externalIdentity },
      { kind: "up", netns, link: "lo" },
      ...Object.entries(sandbox.sysctls).map(
        ([key, value]): KernelObject => ({ kind: "sysctl", netns, key, value }),
      ),
    );
    objects.push(...defaultRoutes(netns, ordered));
    // Always there, so that joining and leaving need not wait for the kernel to change rules.
    const { id, dnsPort: port } = sandbox;
    objects.push(
      heldListener({ sandbox: id, netns, port }, [netnsIdentityOf(netns)]),
      resolverTable(netns, port),
    );
    objects.push(
      heldView(
        {
          sandbox: id,
          networks: named.map(({ network }) => ({ id: network.id, name: network.name })),
          links: named.flatMap(linksIn),
        },
        [netnsIdentityOf(netns)],
      ),
      heldForwarding({ sandbox: id, netns, ...forwardingOf(sandbox, attachments, netns) }, [
        netnsIdentityOf(netns),
      ]),
    );
  }
  return [...objects.map((object) => ({ object })), ...ports];
}

function linksIn({ endpoint, network }: Attachment): readonly NameLink[] {
  return (endpoint.join?.links ?? []).map((link) => ({ ...link, network: network.id }));
}

function defaultRoutes(netns: string, ordered: readonly Attachment[]): KernelObject[] {
  const routes: KernelObject[] = [];
  for (const family of [4, 6] as const) {
    const way = gatewayFor(ordered, family);
    if (way === undefined) continue;
    const { gateway, attachment } = way;
    const link = attachment.endpoint.join?.ifname;
    if (link !== undefined)
      routes.push({ kind: "route", netns, link, destination: defaultPrefix(family), gateway, metric: 0 });
  }
  return routes;
}
