import { type IpAddress, isIpv6, isLinkLocal, isWeftError, parseAddress, WeftError } from "../core/index.ts";
import { maxPort, type PortProtocol, type PortRange, portProtocols } from "./protocol.ts";

/** One port of a sandbox that is to be published, as it was asked for. */
export interface PortSpec {
  readonly protocol: PortProtocol;
  /** The port in the sandbox. */
  readonly port: number;
  /** The host's address to publish it on; absent: those that the network's options say. */
  readonly hostAddress?: IpAddress;
  /** The host's port, or several to take the first free one of; absent: one of the ephemeral ports. */
  readonly hostPorts?: PortRange;
}

/** A port that a sandbox has, which `-P` publishes. */
export interface ExposedPort {
  readonly protocol: PortProtocol;
  readonly port: number;
}

/**
 * Reads Docker's `[hostIP:][hostPort[-end]:]port[-end][/protocol]` (LN §1.9), one result for each port of
 * the sandbox. `8000-8010:80` means the first free one of them, `8000-8001:90-91` one to one, and no host
 * port or 0 an ephemeral one. IPv6 addresses stand in brackets. Throws INVALID_PORT.
 */
export function parsePortSpec(text: string): readonly PortSpec[] {
  const { body, protocol } = splitProtocol(text);
  const { host, hostPorts, ports } = splitParts(body, text);
  if (ports === "") throw invalid(`no port specified: ${text}: end it with the sandbox's port, such as :80`);
  const inside = parseRange(ports, "containerPort");
  const hostAddress = host === "" ? undefined : parseHostAddress(host, text);
  const outside = hostPorts === "" || isZero(hostPorts) ? undefined : parseRange(hostPorts, "hostPort");
  if (hostPorts !== "" && inside.last > inside.first) requireSameLength(inside, outside, ports, hostPorts);
  const specs: PortSpec[] = [];
  for (let port = inside.first; port <= inside.last; port++) {
    specs.push({
      protocol,
      port,
      ...(hostAddress === undefined ? {} : { hostAddress }),
      ...(outside === undefined ? {} : { hostPorts: hostPortsOf(port, inside, outside) }),
    });
  }
  return specs;
}

/** {@link parsePortSpec} of a list. What is asked for twice is there once. Throws INVALID_PORT. */
export function parsePortSpecs(texts: readonly string[]): readonly PortSpec[] {
  const specs = new Map<string, PortSpec>();
  for (const text of texts) for (const spec of parsePortSpec(text)) specs.set(formatPortSpec(spec), spec);
  return [...specs.values()];
}

/** Reads `port[-end][/protocol]`, as in EXPOSE; one result a port. Throws INVALID_PORT. */
export function parseExposed(text: string): readonly ExposedPort[] {
  const { body, protocol } = splitProtocol(text);
  const { first, last } = parseRange(body, "containerPort");
  return Array.from({ length: last - first + 1 }, (_, i) => ({ protocol, port: first + i }));
}

/** The canonical text of a spec; {@link parsePortSpec} reads it back. */
export function formatPortSpec({ protocol, port, hostAddress, hostPorts }: PortSpec): string {
  const inside = `${port}/${protocol}`;
  if (hostAddress === undefined)
    return hostPorts === undefined ? inside : `${formatRange(hostPorts)}:${inside}`;
  const host = isIpv6(hostAddress) ? `[${hostAddress}]` : hostAddress;
  return `${host}:${hostPorts === undefined ? "" : formatRange(hostPorts)}:${inside}`;
}

/** `80`, or `8000-8010`. */
export function formatRange({ first, last }: PortRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}

function splitProtocol(text: string): { readonly body: string; readonly protocol: PortProtocol } {
  const slash = text.indexOf("/");
  if (slash < 0) return { body: text, protocol: "tcp" };
  const name = text.slice(slash + 1).toLowerCase();
  // Docker takes "80/" for "80/tcp".
  const protocol = name === "" ? "tcp" : portProtocols.find((one) => one === name);
  if (protocol === undefined)
    throw invalid(`invalid proto: ${name} in ${JSON.stringify(text)}: use tcp, udp or sctp`);
  return { body: text.slice(0, slash), protocol };
}

interface Parts {
  readonly host: string;
  readonly hostPorts: string;
  readonly ports: string;
}

/** The three parts between the colons, "" for one that is not there; the address without its brackets. */
function splitParts(body: string, text: string): Parts {
  if (body.startsWith("[")) {
    const end = body.indexOf("]:");
    const [hostPorts, ports, ...more] = end < 0 ? [] : body.slice(end + 2).split(":");
    if (end < 2 || hostPorts === undefined || ports === undefined || more.length > 0)
      throw invalid(`invalid port ${JSON.stringify(text)}: use [address]:hostPort:port or [address]::port`);
    return { host: body.slice(1, end), hostPorts, ports };
  }
  const parts = body.split(":");
  if (parts.length > 3) {
    const host = parts.slice(0, -2).join(":");
    throw invalid(`invalid IP address: ${host} in ${JSON.stringify(text)}: put IPv6 in brackets, [${host}]`);
  }
  const [ports = "", hostPorts = "", host = ""] = parts.reverse();
  return { host, hostPorts, ports };
}

function parseHostAddress(host: string, text: string): IpAddress {
  const address = addressOf(host);
  const where = `in ${JSON.stringify(text)}`;
  if (address === undefined)
    throw invalid(`invalid IP address: ${host} ${where}: an address of the host is wanted, no name`);
  if (isIpv6(address) !== text.startsWith("["))
    throw invalid(`invalid IP address: ${host} ${where}: IPv6 stands in brackets, IPv4 does not`);
  if (address.startsWith("::ffff:"))
    throw invalid(`invalid IP address: ${host} ${where}: write an IPv4 address as such`);
  if (isIpv6(address) && isLinkLocal(address))
    throw invalid(
      `invalid IP address: ${host} ${where}: a link-local address is nothing without its interface`,
    );
  return address;
}

function addressOf(text: string): IpAddress | undefined {
  try {
    return parseAddress(text);
  } catch (error) {
    if (isWeftError(error, "INVALID_ADDRESS")) return undefined;
    throw error;
  }
}

const rangeForm = /^(\d+)(?:-(\d+))?$/;

function parseRange(text: string, what: "containerPort" | "hostPort"): PortRange {
  const [, first, last] = rangeForm.exec(text) ?? [];
  if (first === undefined)
    throw invalid(`invalid ${what}: ${JSON.stringify(text)} is neither a port nor a range of ports`);
  const range = { first: Number(first), last: Number(last ?? first) };
  if (range.first < 1 || range.last > maxPort || range.first > maxPort)
    throw invalid(`invalid ${what}: ${text}: ports go from 1 to ${maxPort}`);
  if (range.last < range.first)
    throw invalid(`invalid ${what}: invalid range specified for port: ${text} ends before it begins`);
  return range;
}

/** Port 0 of the host means any. */
function isZero(text: string): boolean {
  return /^0+$/.test(text);
}

function requireSameLength(inside: PortRange, outside: PortRange | undefined, ports: string, host: string) {
  if (outside !== undefined && outside.last - outside.first === inside.last - inside.first) return;
  throw invalid(
    `invalid ranges specified for container and host Ports: ${ports} and ${host}: they differ in length`,
  );
}

/** One port of the sandbox may have any of the host's range; several go one to one. */
function hostPortsOf(port: number, inside: PortRange, outside: PortRange): PortRange {
  if (inside.first === inside.last) return outside;
  const hostPort = outside.first + port - inside.first;
  return { first: hostPort, last: hostPort };
}

function invalid(message: string): WeftError {
  return new WeftError("INVALID_PORT", message);
}
