import { type Dirent, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Found, KernelQuery } from "../kernel.ts";
import { isKernelError } from "../kernel-error.ts";
import { protocolNumber, tableName } from "../marks.ts";
import { listElements, readTables, type SetElement } from "../netlink/nftables/index.ts";
import {
  getLink,
  type Link,
  listAddresses,
  listLinks,
  listRoutes,
  namespaceIdOf,
  RT_TABLE_MAIN,
} from "../netlink/rtnetlink/index.ts";
import { identityIfNetns, nothingThere } from "../netns.ts";
import { hostNetns, type NetnsRef } from "../netns-ref.ts";
import { isNftFamily } from "../nft-objects.ts";
import type { KernelObject, PortObject } from "../objects.ts";
import { foreignAcceptRules } from "./accept-rules.ts";
import { readFile } from "./files.ts";
import { isOwn, type NetnsReading, specOf } from "./link-specs.ts";
import type { Session } from "./session.ts";
import { readSysctls } from "./sysctl-readings.ts";

/** Reads what {@link KernelQuery} asks for. Throws KernelError. */
export function readHost(session: Session, query: KernelQuery): Found[] {
  if (query.only === "rules") return tablesOf(session, hostNetns);
  const found: Found[] = [];
  const readings: NetnsReading[] = [];
  const identities = new Set<string>();
  for (const netns of namespacesToRead(query)) {
    const identity = identityOfNetns(session, netns);
    // A file without a namespace is what a crash leaves between the two; where nobody wants it, it has to go.
    const isLeft = () => !query.namespaces.includes(netns) || query.givenUp?.has(netns) === true;
    if (netns !== hostNetns && (identity !== undefined || isLeft()))
      found.push({ object: { kind: "netns", netns }, marked: isBelow(query.netnsFolder, netns) });
    // Read under a second name, what is there would be nobody's.
    if (identity === undefined || identities.has(identity)) continue;
    identities.add(identity);
    readings.push(readLinks(session, netns));
  }
  for (const reading of readings) {
    append(found, linksOf(reading, readings));
    append(found, addressesOf(session, reading));
    append(found, routesOf(session, reading));
    append(found, tablesOf(session, reading.netns));
  }
  return [...found, ...filesBelow(query.fileFolder), ...lookedUp(session, query, readings)];
}

/** Undefined when there is no namespace at the path. */
function identityOfNetns(session: Session, netns: NetnsRef): string | undefined {
  try {
    return identityIfNetns(session.netnsFd(netns));
  } catch (error) {
    if (isKernelError(error, ...nothingThere)) return undefined;
    throw error;
  }
}

function readLinks(session: Session, netns: NetnsRef): NetnsReading {
  const socket = session.route(netns);
  let asked: { readonly id: number | undefined } | undefined;
  const hostId = () => {
    asked ??= { id: namespaceIdOf(socket, session.netnsFd(hostNetns)) };
    return asked.id;
  };
  return { netns, links: listLinks(socket), hostId };
}

/** Without a spread: root in a sandbox decides how much there is in its namespace. */
function append(found: Found[], more: readonly Found[]): void {
  for (const one of more) found.push(one);
}

function namespacesToRead(query: KernelQuery): Set<NetnsRef> {
  const namespaces = new Set(query.namespaces);
  const folder = query.netnsFolder;
  if (folder !== undefined && existsSync(folder))
    for (const name of readdirSync(folder)) namespaces.add(join(folder, name));
  return namespaces;
}

function isBelow(folder: string | undefined, path: string): boolean {
  return folder !== undefined && path.startsWith(`${folder}/`);
}

function linksOf(reading: NetnsReading, readings: readonly NetnsReading[]): Found[] {
  const { netns, links } = reading;
  const names = new Map(links.map((link) => [link.index, link.name]));
  return links.flatMap((link): Found[] => {
    const { name, mtu, mac, alias, master, port } = link;
    const marked = isOwn(link);
    const found: Found[] = [
      {
        object: { kind: "link", netns, name, spec: specOf(reading, link, readings), mtu, mac, alias },
        marked,
      },
    ];
    if (link.up) found.push({ object: { kind: "up", netns, link: name }, marked });
    const bridge = master === undefined ? undefined : names.get(master);
    if (bridge !== undefined) {
      const { hairpin = false, isolated = false } = port ?? {};
      found.push({ object: { kind: "port", netns, link: name, master: bridge, hairpin, isolated }, marked });
    }
    return found;
  });
}

function addressesOf(session: Session, { netns, links }: NetnsReading): Found[] {
  const byIndex = new Map(links.map((link) => [link.index, link]));
  return listAddresses(session.route(netns)).flatMap(({ link: index, address, protocol }): Found[] => {
    const link = byIndex.get(index);
    if (link === undefined) return [];
    const object: KernelObject = {
      kind: "address",
      netns,
      link: link.name,
      address,
    };
    return [{ object, marked: protocol === protocolNumber }];
  });
}

function routesOf(session: Session, { netns, links }: NetnsReading): Found[] {
  const names = new Map(links.map((link) => [link.index, link.name]));
  return listRoutes(session.route(netns), { table: RT_TABLE_MAIN, protocol: protocolNumber }).flatMap(
    (route): Found[] => {
      const link = route.link === undefined ? undefined : names.get(route.link);
      if (link === undefined) return [];
      const { destination, gateway, priority = 0 } = route;
      // The kernel makes 1024 of 0 for IPv6.
      const metric = destination.includes(":") && priority === 1024 ? 0 : priority;
      return [{ object: { kind: "route", netns, link, destination, gateway, metric }, marked: true }];
    },
  );
}

function tablesOf(session: Session, netns: NetnsRef): Found[] {
  const socket = session.netfilter(netns);
  const { definitions, others } = readTables(socket, tableName);
  const found: Found[] = [];
  for (const { family, ...rest } of definitions) {
    if (!isNftFamily(family)) continue;
    const definition = { ...rest, family };
    const { table } = definition;
    found.push({ object: { kind: "nft-table", netns, definition }, marked: true });
    // weft's tables in sandboxes have no sets: where there are some, the table is another, however much they hold.
    if (netns !== hostNetns) continue;
    for (const [set, type] of Object.entries(definition.sets)) {
      // What rules or users add for a time is no part of any plan.
      if (type.dynamic) continue;
      for (const element of lasting(listElements(socket, { family, table, set }, type)))
        found.push({
          object: { kind: "nft-element", netns, family, table, set, type, element },
          marked: true,
        });
    }
  }
  // In a sandbox, other people's chains are its own affair.
  if (netns === hostNetns && others > 0)
    for (const object of foreignAcceptRules(socket, netns)) found.push({ object, marked: true });
  return found;
}

function lasting(elements: readonly SetElement[]): readonly SetElement[] {
  return elements.filter(
    ({ timeoutMs, expiresInMs }) => timeoutMs === undefined && expiresInMs === undefined,
  );
}

/** weft's files are in folders of their own; what else lies there is not read. */
function filesBelow(folder: string | undefined): Found[] {
  if (folder === undefined || !existsSync(folder)) return [];
  return entriesOf(folder)
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => entriesOf(join(folder, name)).map((entry) => ({ entry, in: join(folder, name) })))
    .filter(({ entry }) => entry.isFile())
    .flatMap(({ entry, in: place }) => fileAt(join(place, entry.name), true));
}

function entriesOf(folder: string): readonly Dirent[] {
  return readdirSync(folder, { withFileTypes: true });
}

function fileAt(path: string, marked: boolean): Found[] {
  const content = readFile(path);
  return content === undefined ? [] : [{ object: { kind: "file", path, content }, marked }];
}

/** Sysctls, and what a query without namespaces asks for one by one. */
function lookedUp(session: Session, query: KernelQuery, readings: readonly NetnsReading[]): Found[] {
  const sysctls = query.lookUp.filter((object) => object.kind === "sysctl");
  const others = query.lookUp.flatMap((object): Found[] => {
    switch (object.kind) {
      case "file":
        return isBelow(query.fileFolder, object.path) ? [] : fileAt(object.path, false);
      case "port":
      case "address":
      case "up":
        return query.namespaces.includes(object.netns) ? [] : onLink(session, object);
      default:
        return []; // a dump gives it, or it is a sysctl
    }
  });
  return [...readSysctls(session, sysctls, readings), ...others];
}

function onLink(
  session: Session,
  object: KernelObject & { readonly kind: "port" | "address" | "up" },
): Found[] {
  const link = session.link(object.netns, object.link);
  if (link === undefined) return [];
  if (object.kind === "port") return portOf(session, object, link);
  const there =
    object.kind === "up"
      ? link.up
      : listAddresses(session.route(object.netns), { link: link.index }).some(
          ({ address }) => address === object.address,
        );
  return there ? [{ object, marked: false }] : [];
}

function portOf(session: Session, { netns }: PortObject, { name, master, port }: Link): Found[] {
  const bridge = master === undefined ? undefined : getLink(session.route(netns), master);
  if (bridge === undefined) return [];
  const { hairpin = false, isolated = false } = port ?? {};
  return [
    { object: { kind: "port", netns, link: name, master: bridge.name, hairpin, isolated }, marked: false },
  ];
}
