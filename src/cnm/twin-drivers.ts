import { WeftError } from "../core/index.ts";
import type { Driver } from "../drivers/index.ts";
import type { IpamDriver } from "../ipam/index.ts";

/** Stands for a driver that does its work elsewhere: its plans are known, and whatever it would have to do is not. */
export function withoutWork(driver: Driver): Driver {
  const { name, capabilities } = driver;
  const unknown = async () => {
    throw unplannable(`driver ${name}`);
  };
  const nothing = async () => {};
  return {
    name,
    capabilities,
    checkNetwork: (network) => driver.checkNetwork(network),
    createNetwork: unknown,
    createEndpoint: unknown,
    join: unknown,
    deleteNetwork: nothing,
    deleteEndpoint: nothing,
    leave: nothing,
    programExternalConnectivity: nothing,
    revokeExternalConnectivity: nothing,
    endpointInfo: (network, endpoint) => driver.endpointInfo(network, endpoint),
    planNetwork: (network) => driver.planNetwork(network),
    planEndpoint: (network, endpoint, join, answer) => driver.planEndpoint(network, endpoint, join, answer),
    ...(driver.endpointLimit === undefined ? {} : { endpointLimit: driver.endpointLimit.bind(driver) }),
    ...(driver.sharesMac === undefined ? {} : { sharesMac: driver.sharesMac.bind(driver) }),
    ...(driver.parentUse === undefined ? {} : { parentUse: driver.parentUse.bind(driver) }),
    ...(driver.publishing === undefined ? {} : { publishing: driver.publishing.bind(driver) }),
    ...(driver.planPorts === undefined ? {} : { planPorts: driver.planPorts.bind(driver) }),
  };
}

/** Stands for an IPAM driver of the embedding program's, which is asked for nothing. */
export function withoutLeases({ name, capabilities, defaultAddressSpaces }: IpamDriver): IpamDriver {
  const unknown = async () => {
    throw unplannable(`IPAM driver ${name}`);
  };
  return {
    name,
    capabilities,
    defaultAddressSpaces,
    requestPool: unknown,
    requestAddress: unknown,
    releasePool: async () => {},
    releaseAddress: async () => {},
  };
}

function unplannable(who: string): WeftError {
  return new WeftError(
    "FEATURE_MISSING",
    `${who} does its work elsewhere: what it would answer cannot be known without doing it`,
  );
}
