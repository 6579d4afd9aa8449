import { WeftError } from "../core/index.ts";
import { parseNetworkConfig } from "../ipam/index.ts";
import { type Context, driverOf } from "./context.ts";
import { changedSettings, type DefaultBridge, defaultBridgeOptions, settingsOf } from "./default-bridge.ts";
import { deleteNetwork, makeNetwork, type OwnNetwork } from "./network-operations.ts";
import type { NetworkOptions } from "./network-options.ts";
import type { NetworkRecord } from "./records.ts";

/** How weft's own networks are to be. */
export interface PredefinedNetworks {
  /** The network `bridge`; none at all with `none`. */
  readonly bridge: DefaultBridge | "none";
}

/** The lock of whoever makes weft's own networks. */
const predefinedLock = "predefined";

/**
 * Makes the networks `host`, `none` and `bridge` where they are missing. A `bridge` that was made with other
 * settings is made anew while nothing is on it. Throws NETWORK_HAS_ENDPOINTS, naming the settings, when
 * something is; INVALID_OPTION, NETWORK_EXISTS, DRIVER_NOT_FOUND, and what {@link makeNetwork} throws.
 */
export function ensurePredefined(context: Context, { bridge }: PredefinedNetworks): Promise<void> {
  return context.locks.run(predefinedLock, async () => {
    await ensureSingle(context, "host", "host");
    await ensureSingle(context, "null", "none");
    if (bridge === "none") await removeBridge(context);
    else await ensureBridge(context, bridge);
  });
}

/** A network that its driver has one of. */
async function ensureSingle(context: Context, driver: string, name: string): Promise<void> {
  if (context.tables.predefined(name) !== undefined) return;
  const own: OwnNetwork = { predefined: true };
  const there = formerOf(context, name, driver);
  if (there === undefined) await makeNetwork(context, driver, name, {}, own);
  else await update(context, { ...there, ...own });
}

async function ensureBridge(context: Context, bridge: DefaultBridge): Promise<void> {
  const settings = settingsOf(bridge);
  const options = defaultBridgeOptions(bridge);
  const former = formerOf(context, "bridge", "bridge");
  if (former !== undefined) {
    const changed =
      former.settings === undefined ? ["bridge (weft's own)"] : changedSettings(former.settings, settings);
    if (changed.length === 0) return;
    refuseWhileUsed(context, former, changed);
    check(context, options);
    await deleteNetwork(context, former, true);
  }
  await makeNetwork(context, "bridge", "bridge", options, { predefined: true, settings });
}

async function removeBridge(context: Context): Promise<void> {
  const former = context.tables.predefined("bridge");
  if (former === undefined) return;
  refuseWhileUsed(context, former, ["bridge (none)"]);
  await deleteNetwork(context, former, true);
}

/** What cannot be is found before the former network goes. */
function check(context: Context, { options = {}, ipv6 = false, ipam }: NetworkOptions): void {
  const network = { name: "bridge", options, ipv4: true, ipv6, internal: false };
  driverOf(context, "bridge").checkNetwork(network);
  parseNetworkConfig({ enableIpv4: true, enableIpv6: ipv6, subnets: ipam?.subnets ?? [] });
}

/** A network of that name, perhaps made before weft had its own. Throws NETWORK_EXISTS when it is of another driver. */
function formerOf({ tables }: Context, name: string, driver: string): NetworkRecord | undefined {
  const former = [...tables.networks.all()].find(
    (network) => network.name === name && network.state !== "deleting",
  );
  if (former === undefined || former.driver === driver) return former;
  throw new WeftError(
    "NETWORK_EXISTS",
    `network with name ${name} already exists, of driver ${former.driver}: weft's own of that name is to be one of ${driver}; remove it first`,
  );
}

function refuseWhileUsed({ tables }: Context, network: NetworkRecord, changed: readonly string[]): void {
  const endpoints = [...tables.endpointsOf(network.id)];
  if (endpoints.length === 0) return;
  const names = endpoints.map(([name, id]) => {
    const sandbox = tables.endpoints.get(id)?.join?.sandbox;
    return sandbox === undefined ? name : (tables.sandboxes.get(sandbox)?.containerId ?? name);
  });
  const list =
    names.length > 10 ? `${names.slice(0, 10).join(", ")} and ${names.length - 10} more` : names.join(", ");
  throw new WeftError(
    "NETWORK_HAS_ENDPOINTS",
    `the network bridge cannot be made with other settings while it is in use: changed are ${changed.join(", ")}, and on it are ${list}; remove those first, or put the settings back`,
    { details: { changed, sandboxes: names } },
  );
}

async function update({ store, tables }: Context, network: NetworkRecord): Promise<void> {
  await store.transact((transaction) => tables.networks.put(transaction, network));
  tables.networks.set(network);
}
