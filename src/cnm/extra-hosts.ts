import { addressPart, type IpAddress, parseAddress, WeftError } from "../core/index.ts";
import type { Context } from "./context.ts";
import { checkHostname } from "./names.ts";
import type { HostEntry } from "./records.ts";

/** Stands for the host in the place of an address. */
const hostGateway = "host-gateway";

/** The lines of a hosts file that the user asks for. Throws INVALID_NAME, INVALID_ADDRESS, INVALID_OPTION. */
export function extraHostsOf(
  context: Context,
  hosts: Readonly<Record<string, string | readonly string[]>>,
): readonly HostEntry[] {
  return Object.entries(hosts).flatMap(([name, given]) => {
    if (name === "") throw new WeftError("INVALID_NAME", "invalid extra host: name is empty");
    checkHostname("extra host", name);
    const texts = typeof given === "string" ? [given] : given;
    const addresses = texts.flatMap((text) =>
      text === hostGateway ? hostAddresses(context) : [parseAddress(text)],
    );
    return addresses.map((address) => ({ name, address }));
  });
}

/** The addresses by which a sandbox reaches its host: those configured, else the ones of the network bridge. */
function hostAddresses({ tables, hostGatewayAddresses }: Context): readonly IpAddress[] {
  if (hostGatewayAddresses.length > 0) return hostGatewayAddresses;
  const pools = tables.predefined("bridge")?.pools ?? [];
  const gateways = pools.flatMap(({ gateway }) => (gateway === undefined ? [] : [addressPart(gateway)]));
  if (gateways.length > 0) return gateways;
  throw new WeftError(
    "INVALID_OPTION",
    "unable to derive the IP value for host-gateway: there is no network bridge, and no host-gateway-ips are configured",
  );
}
