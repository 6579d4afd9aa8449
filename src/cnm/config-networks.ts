import { newId, WeftError } from "../core/index.ts";
import { parseNetworkConfig } from "../ipam/index.ts";
import { type Context, ipamDriverOf } from "./context.ts";
import type { NetworkOptions } from "./network-options.ts";
import { networkOwner } from "./plans.ts";
import type { NetworkRecord } from "./records.ts";

/** The driver that a configuration network's record names; nobody asks it for anything. */
const noDriver = "null";

/**
 * Makes a configuration network: a record, and nothing on the host. Its driver options are read by the driver
 * of the network that is made from it. Throws NETWORK_CONFIG, INVALID_IPAM_CONFIG, NETWORK_EXISTS,
 * DRIVER_NOT_FOUND.
 */
export async function createConfigNetwork(
  context: Context,
  name: string,
  options: NetworkOptions,
): Promise<NetworkRecord> {
  refuseOperatorFields(options);
  const { tables, store } = context;
  const { ipv4 = true, ipv6 = false, ipam = {} } = options;
  const subnets = ipam.subnets ?? [];
  parseNetworkConfig({ enableIpv4: ipv4, enableIpv6: ipv6, subnets });
  const network: NetworkRecord = {
    id: newId(context.random),
    name,
    driver: noDriver,
    state: "ready",
    created: context.clock.now(),
    scope: "local",
    attachable: false,
    configOnly: true,
    subnets,
    internal: false,
    ipv4,
    ipv6,
    options: { ...options.options },
    labels: { ...options.labels },
    ipamDriver: ipamDriverOf(context, ipam.driver ?? "default").name,
    ipamOptions: { ...ipam.options },
    pools: [],
  };
  tables.claimNetworkName(name, network.id);
  try {
    await store.transact((transaction) => tables.networks.put(transaction, network));
  } catch (error) {
    tables.freeNetworkName(name);
    throw error;
  }
  tables.networks.set(network);
  return network;
}

function refuseOperatorFields({ internal, attachable, scope, configFrom }: NetworkOptions): void {
  if (internal === true || attachable === true || (scope !== undefined && scope !== "")) {
    throw new WeftError(
      "NETWORK_CONFIG",
      "configuration network can only contain network specific fields. Network operator fields like [ ingress | internal | attachable | scope ] are not supported.",
    );
  }
  if (configFrom !== undefined)
    throw new WeftError(
      "NETWORK_CONFIG",
      "a configuration network cannot depend on another configuration network",
    );
}

/**
 * Runs `make` with the settings of the configuration network that `options` name, which stays for as long.
 * Throws NETWORK_NOT_FOUND, NETWORK_CONFIG.
 */
export function withConfig<T>(
  context: Context,
  options: NetworkOptions,
  make: (complete: NetworkOptions) => Promise<T>,
): Promise<T> {
  refuseOwnSettings(options);
  const { id } = configNetwork(context, options.configFrom ?? "");
  return context.locks.run(networkOwner(id), () => {
    const config = configNetwork(context, options.configFrom ?? ""); // as it is now
    return make({
      ...options,
      configFrom: config.name,
      ipv4: config.ipv4,
      ipv6: config.ipv6,
      options: config.options,
      labels: config.labels,
      ipam: {
        driver: config.ipamDriver,
        options: config.ipamOptions,
        subnets: config.subnets ?? [],
      },
    });
  });
}

function configNetwork({ tables }: Context, name: string): NetworkRecord {
  let network: NetworkRecord | undefined;
  try {
    network = tables.findNetwork(name);
  } catch {
    // Told below.
  }
  if (network?.configOnly === true) return network;
  throw new WeftError("NETWORK_NOT_FOUND", `configuration network ${JSON.stringify(name)} does not exist`);
}

function refuseOwnSettings({ ipv4, ipv6, labels = {}, options = {}, ipam = {} }: NetworkOptions): void {
  const { driver = "default", options: ipamOptions = {}, subnets = [] } = ipam;
  const given = [labels, ipamOptions, subnets].some((one) => Object.keys(one).length > 0);
  if (given || ipv4 === false || ipv6 === true || driver !== "default") {
    throw new WeftError(
      "NETWORK_CONFIG",
      "user-specified configurations are not supported if the network depends on a configuration network",
    );
  }
  if (Object.keys(options).length === 0) return;
  throw new WeftError(
    "NETWORK_CONFIG",
    "network driver options are not supported if the network depends on a configuration network",
  );
}

/** Deletes a configuration network, whose lock is held. Throws NETWORK_CONFIG while a network depends on it. */
export async function eraseConfigNetwork({ store, tables }: Context, network: NetworkRecord): Promise<void> {
  const { id, name } = network;
  const users = [...tables.networks.all()].filter(
    ({ configFrom, state }) => configFrom === name && state !== "deleting",
  );
  if (users.length > 0)
    throw new WeftError("NETWORK_CONFIG", `configuration network ${JSON.stringify(name)} is in use`, {
      details: { networks: users.map((user) => user.name) },
    });
  await store.transact((transaction) => tables.networks.delete(transaction, id));
  tables.networks.remove(id);
  tables.freeNetworkName(name);
}
