import type { EndpointRecord, NetworkRecord, SandboxRecord } from "../../src/cnm/index.ts";
import { type Family, type Id, newId, parseAddress, parseInterfaceAddress } from "../../src/core/index.ts";
import { seededRandom } from "./deterministic.ts";

/** An id that belongs to a text. */
export function idOf(text: string): Id {
  return newId(seededRandom(text));
}

/** A network's record. */
export function networkRecord(name: string, more: Partial<NetworkRecord> = {}): NetworkRecord {
  return {
    id: idOf(name),
    name,
    driver: "bridge",
    state: "ready",
    created: 0,
    scope: "local",
    attachable: false,
    configOnly: false,
    internal: false,
    ipv4: true,
    ipv6: false,
    options: {},
    labels: {},
    ipamDriver: "default",
    ipamOptions: {},
    pools: [],
    ...more,
  };
}

/** A sandbox's record. */
export function sandboxRecord(containerId: string, more: Partial<SandboxRecord> = {}): SandboxRecord {
  return {
    id: idOf(containerId),
    containerId,
    state: "ready",
    hostname: "",
    domainName: "",
    hostNetns: false,
    sysctls: {},
    extraHosts: [],
    dns: [],
    dnsSearch: [],
    dnsOptions: [],
    hostResolvConf: "",
    ipv6: true,
    ports: [],
    bindings: [],
    dnsPort: 61053,
    ...more,
  };
}

/** An endpoint's record, joined to `sandbox` if that is named. */
export function endpointRecord(
  network: string,
  name: string,
  more: {
    readonly addresses?: readonly string[];
    readonly sandbox?: string;
    readonly order?: number;
    readonly priority?: number;
    readonly gateways?: readonly string[];
    readonly advertised?: readonly Family[];
    readonly leaving?: true;
    readonly state?: EndpointRecord["state"];
  } = {},
): EndpointRecord {
  const { addresses = [], sandbox, order = 1, priority = 0, gateways = [], state = "ready" } = more;
  const { advertised, leaving } = more;
  return {
    id: idOf(`${network}/${name}`),
    network: idOf(network),
    name,
    state,
    addresses: addresses.map((address) => ({ poolId: "p", address: parseInterfaceAddress(address) })),
    aliases: [],
    options: {},
    join:
      sandbox === undefined
        ? undefined
        : {
            sandbox: idOf(sandbox),
            ifname: `eth${order}`,
            order,
            priority,
            leaving,
            answer: {
              gateways: gateways.map(parseAddress),
              advertised,
              staticRoutes: [],
              disableGatewayService: false,
            },
          },
  };
}
