import type {
  Sandbox,
  SandboxEndpoint,
  SandboxState,
  SandboxStatus,
  SandboxSummary,
} from "../../api/index.ts";
import type { EndpointRecord, Sandbox as ModelSandbox } from "../../cnm/index.ts";
import { addressPart, familyOf, type IpAddress, isIpv6 } from "../../core/index.ts";
import type { PortBinding } from "../../ports/index.ts";
import { addressOf } from "../networks/network-view.ts";
import { spanText, timeText } from "../time-text.ts";
import type { SandboxRecord } from "./sandbox-record.ts";

/** A sandbox's record with the model's part of it, which is undefined while it is closed. */
export interface SandboxSight {
  readonly record: SandboxRecord;
  readonly model: ModelSandbox | undefined;
  readonly networkName: (id: string) => string;
}

/** Where a sandbox is in its life. */
export function statusOf({ process, restarting, ending }: SandboxRecord): SandboxStatus {
  if (process !== undefined) return "running";
  if (restarting === true) return "restarting";
  return ending === undefined ? "created" : "exited";
}

/** Everything about a sandbox. */
export function sandboxView({ record, model, networkName }: SandboxSight, logPath: string): Sandbox {
  const endpoints = model?.endpoints() ?? [];
  return {
    Id: record.id,
    Name: record.name,
    Created: timeText(record.created),
    Labels: record.config.Labels,
    State: stateView(record),
    Config: { ...record.config, Name: record.name, Networks: [...record.networks] },
    SandboxKey: model?.key ?? "",
    LogPath: record.config.Command === undefined ? "" : logPath,
    NetworkMode: record.config.NetworkMode,
    Networks: Object.fromEntries(
      endpoints.map((endpoint) => [networkName(endpoint.networkId), endpointView(endpoint.record(), record)]),
    ),
    Ports: portsView(model?.ports() ?? []),
  };
}

function stateView(record: SandboxRecord): SandboxState {
  const { process, ending, startedAt, restarts } = record;
  return {
    Status: statusOf(record),
    Running: process !== undefined,
    Pid: process?.identity.pid ?? 0,
    ExitCode: process === undefined ? (ending?.code ?? null) : null,
    Error: process === undefined ? (ending?.error ?? "") : "",
    RestartCount: restarts,
    StartedAt: timeText(startedAt),
    FinishedAt: process === undefined ? timeText(ending?.at) : "",
  };
}

function endpointView(endpoint: EndpointRecord, sandbox: SandboxRecord): SandboxEndpoint {
  const { join } = endpoint;
  const gateways = join?.answer?.gateways ?? [];
  const four = addressOf(endpoint, 4);
  const six = addressOf(endpoint, 6);
  const gatewayOf = (wanted: (one: IpAddress) => boolean) => gateways.find(wanted) ?? "";
  return {
    NetworkID: endpoint.network,
    EndpointID: endpoint.id,
    Gateway: gatewayOf((one) => !isIpv6(one)),
    IPAddress: four.replace(/\/.*/, ""),
    IPPrefixLen: prefixLength(four),
    IPv6Gateway: gatewayOf(isIpv6),
    GlobalIPv6Address: six.replace(/\/.*/, ""),
    GlobalIPv6PrefixLen: prefixLength(six),
    MacAddress: endpoint.macAddress ?? "",
    Interface: join?.ifname ?? "",
    Aliases: [...endpoint.aliases],
    DNSNames: [
      ...new Set([sandbox.name, ...endpoint.aliases, sandbox.id.slice(0, 12), sandbox.config.Hostname]),
    ].filter((name) => name !== ""),
    GwPriority: join?.priority ?? 0,
    DriverOpts: { ...endpoint.options },
  };
}

function prefixLength(address: string): number {
  return address === "" ? 0 : Number(address.slice(address.indexOf("/") + 1));
}

function portsView(bindings: readonly PortBinding[]): Sandbox["Ports"] {
  const ports: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { protocol, port, hostAddress, hostPort } of bindings) {
    const key = `${port}/${protocol}`;
    ports[key] ??= [];
    ports[key].push({ HostIp: hostAddress, HostPort: String(hostPort) });
  }
  return ports;
}

/** A sandbox in a listing; `now` is ms since 1970. */
export function summaryView({ record, model, networkName }: SandboxSight, now: number): SandboxSummary {
  const endpoints = model?.endpoints().map((endpoint) => endpoint.record()) ?? [];
  return {
    Id: record.id,
    Name: record.name,
    Command: record.config.Command?.Args.join(" ") ?? "",
    Created: timeText(record.created),
    State: statusOf(record),
    Status: statusText(record, now),
    Ports: portsText(model?.ports() ?? []),
    Labels: record.config.Labels,
    Networks:
      endpoints.length > 0
        ? endpoints.map(({ network }) => networkName(network))
        : record.networks.map(({ Network }) => Network),
    IPAddresses: endpoints.flatMap(({ addresses }) => addresses.map(({ address }) => addressPart(address))),
  };
}

/** As `docker ps` says it: `Up 3 minutes`, `Exited (0) 2 hours ago`, `Created`. */
export function statusText(record: SandboxRecord, now: number): string {
  const { process, ending } = record;
  if (process !== undefined) return `Up ${spanText(now - process.startedAt)}`;
  if (ending === undefined) return record.config.Command === undefined ? "Open" : "Created";
  const code = ending.code === null ? "unknown" : String(ending.code);
  const ago = `${spanText(now - ending.at)} ago`;
  return record.restarting === true ? `Restarting (${code}) ${ago}` : `Exited (${code}) ${ago}`;
}

/** As `docker ps` says it: `0.0.0.0:8080->80/tcp, [::]:8080->80/tcp`; a row of ports with one offset is one entry. */
export function portsText(bindings: readonly PortBinding[]): string {
  const ordered = bindings.toSorted(
    (a, b) =>
      familyOf(a.hostAddress) - familyOf(b.hostAddress) ||
      a.hostAddress.localeCompare(b.hostAddress) ||
      a.protocol.localeCompare(b.protocol) ||
      a.hostPort - b.hostPort,
  );
  const rows: { readonly first: PortBinding; last: PortBinding }[] = [];
  for (const binding of ordered) {
    const row = rows.at(-1);
    if (row !== undefined && follows(row.last, binding)) row.last = binding;
    else rows.push({ first: binding, last: binding });
  }
  return rows.map(({ first, last }) => rowText(first, last)).join(", ");
}

function follows(last: PortBinding, next: PortBinding): boolean {
  return (
    next.hostAddress === last.hostAddress &&
    next.protocol === last.protocol &&
    next.hostPort === last.hostPort + 1 &&
    next.port === last.port + 1
  );
}

function rowText(first: PortBinding, last: PortBinding): string {
  const host = isIpv6(first.hostAddress) ? `[${first.hostAddress}]` : first.hostAddress;
  const range = (from: number, to: number) => (from === to ? String(from) : `${from}-${to}`);
  return `${host}:${range(first.hostPort, last.hostPort)}->${range(first.port, last.port)}/${first.protocol}`;
}
