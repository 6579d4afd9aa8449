import type { DriverEndpoint, DriverJoin, DriverNetwork } from "../drivers/index.ts";
import { hostNetns, type NetnsRef } from "../kernel/index.ts";
import type { Paths } from "./paths.ts";
import type { EndpointRecord, JoinRecord, NetworkRecord, SandboxRecord } from "./records.ts";

/** Records never change, and each new network is shown all others. */
const views = new WeakMap<NetworkRecord, DriverNetwork>();

/** A network's record as its driver sees it. */
export function driverNetwork(record: NetworkRecord): DriverNetwork {
  const known = views.get(record);
  if (known !== undefined) return known;
  const { id, name, options, internal, ipv4, ipv6, pools, answer = {} } = record;
  const view = { id, name, options, internal, ipv4, ipv6, pools, answer };
  views.set(record, view);
  return view;
}

/** An endpoint's record as its driver sees it. */
export function driverEndpoint(record: EndpointRecord): DriverEndpoint {
  const { id, name, options, macAddress } = record;
  return { id, name, options, macAddress, addresses: record.addresses.map(({ address }) => address) };
}

/** The namespace that a sandbox lives in. */
export function sandboxNetns(paths: Paths, sandbox: Pick<SandboxRecord, "id" | "hostNetns">): NetnsRef {
  return sandbox.hostNetns ? hostNetns : paths.netns(sandbox.id);
}

/** A sandbox as a driver sees it, and the interface that an endpoint has in it. */
export function driverJoin(
  paths: Paths,
  sandbox: Pick<SandboxRecord, "id" | "hostNetns" | "ports">,
  { ifname }: JoinRecord,
): DriverJoin {
  const publishes = sandbox.ports.length > 0;
  return { sandboxId: sandbox.id, netns: sandboxNetns(paths, sandbox), ifname, publishes };
}
