import type { NetworkCreate } from "../../api/index.ts";
import type { NetworkOptions } from "../../cnm/index.ts";

/** What the model is asked for when a client makes a network. */
export function networkOptions(request: NetworkCreate): NetworkOptions {
  const { IPAM, ConfigFrom } = request;
  return {
    options: request.Options ?? {},
    labels: request.Labels ?? {},
    ipv4: request.EnableIPv4,
    ipv6: request.EnableIPv6,
    internal: request.Internal,
    attachable: request.Attachable,
    configOnly: request.ConfigOnly,
    ...(ConfigFrom === undefined || ConfigFrom === "" ? {} : { configFrom: ConfigFrom }),
    ipam: {
      ...(IPAM?.Driver === undefined ? {} : { driver: IPAM.Driver }),
      ...(IPAM?.Options === undefined ? {} : { options: IPAM.Options }),
      subnets: (IPAM?.Config ?? []).map(({ Subnet, IPRange, Gateway, AuxiliaryAddresses }) => ({
        ...(Subnet === undefined ? {} : { subnet: Subnet }),
        ...(IPRange === undefined ? {} : { ipRange: IPRange }),
        ...(Gateway === undefined ? {} : { gateway: Gateway }),
        ...(AuxiliaryAddresses === undefined ? {} : { auxAddresses: AuxiliaryAddresses }),
      })),
    },
  };
}
