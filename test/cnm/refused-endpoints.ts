import { type Controller, endpointOption } from "../../src/cnm/index.ts";
import { longName, type Refused } from "./refused.ts";

const there = (controller: Controller) => controller.network("there");
const box = (controller: Controller) => controller.sandbox("c1");

/** Endpoints and joins that cannot be. */
export const refusedEndpoints: readonly Refused[] = [
  [
    "an endpoint without a name",
    (c) => there(c).createEndpoint(""),
    "INVALID_NAME",
    /^invalid endpoint name: name is empty$/,
  ],
  ["an endpoint of 300 bytes", (c) => there(c).createEndpoint(longName), "INVALID_NAME", /of 300 characters/],
  [
    "an odd alias",
    (c) => there(c).createEndpoint("e", { aliases: ["a b"] }),
    "INVALID_NAME",
    /^invalid alias name "a b"/,
  ],
  [
    "a second endpoint of one name",
    (c) => there(c).createEndpoint("e1"),
    "ENDPOINT_EXISTS",
    /^endpoint with name e1 already exists in network there$/,
  ],
  [
    "an address in use",
    (c) => there(c).createEndpoint("e", { ipv4Address: "10.200.0.2" }),
    "ADDRESS_IN_USE",
    /^Address already in use$/,
  ],
  [
    "the gateway's address",
    (c) => there(c).createEndpoint("e", { ipv4Address: "10.200.0.1" }),
    "ADDRESS_IN_USE",
    /in use/,
  ],
  [
    "an address of another network",
    (c) => there(c).createEndpoint("e", { ipv4Address: "10.99.0.1" }),
    "INVALID_IPAM_CONFIG",
    /^invalid address 10\.99\.0\.1: It does not belong to any of this network's subnets$/,
  ],
  [
    "an address that is none",
    (c) => there(c).createEndpoint("e", { ipv4Address: "10.200.0.300" }),
    "INVALID_ADDRESS",
    /"10\.200\.0\.300"/,
  ],
  [
    "an IPv6 address without IPv6",
    (c) => there(c).createEndpoint("e", { ipv6Address: "fd00::5" }),
    "INVALID_IPAM_CONFIG",
    /^invalid address fd00::5: network there has no IPv6$/,
  ],
  [
    "an unknown option",
    (c) => there(c).createEndpoint("e", { options: { "com.example": "1" } }),
    "UNKNOWN_OPTION",
    /^unknown option "com\.example" for an endpoint of driver bridge: it knows com\.docker\.network\.endpoint\.ifname, /,
  ],
  ...["", "a/b", "sixteen-bytes-xx"].map(
    (name): Refused => [
      `an interface called ${JSON.stringify(name)} by option`,
      (c) => there(c).createEndpoint("e", { options: { [endpointOption.ifname]: name } }),
      "INVALID_NAME",
      /^invalid interface name/,
    ],
  ),
  [
    "an interface's name that is taken in the sandbox",
    (c) => box(c).connect(c.network("other"), { options: { [endpointOption.ifname]: "eth0" } }),
    "INTERFACE_NAME_IN_USE",
    /^interface name eth0 is taken in sandbox c1$/,
  ],
  ...[
    "net.ipv4.conf.eth0.log_martians=1",
    "net.ipv4.conf.IFNAME.log_martians",
    "net.ipv9.conf.IFNAME.a=1",
    "net.ipv4.conf.IFNAME=1",
    "net.ipv4.conf.IFNAME.../../x=1",
    "kernel.a.b.IFNAME.c=1",
    "net.ipv4.conf.IFNAME.log_martians=1,",
  ].map(
    (text): Refused => [
      `the sysctl ${text}`,
      (c) => there(c).createEndpoint("e", { options: { [endpointOption.sysctls]: text } }),
      "INVALID_OPTION",
      /^unrecognised network interface sysctl '.*'; represent 'net\.X\.Y\.ethN\.Z=V' as 'net\.X\.Y\.IFNAME\.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'$/,
    ],
  ),
  [
    "a sysctl without a value",
    (c) =>
      there(c).createEndpoint("e", {
        options: { [endpointOption.sysctls]: "net.ipv4.conf.IFNAME.log_martians=" },
      }),
    "INVALID_OPTION",
    /^invalid value of sysctl net\.ipv4\.conf\.IFNAME\.log_martians/,
  ],
  ...["10.0.0.1", "fd00::1", "nonsense"].map(
    (address): Refused => [
      `the link-local address ${address}`,
      (c) => there(c).createEndpoint("e", { linkLocalAddresses: [address] }),
      "INVALID_OPTION",
      /^invalid link local IP address ".*": it should be of 169\.254\.0\.0\/16 or fe80::\/64$/,
    ],
  ),
  [
    "an IPv6 link-local address without IPv6",
    (c) => there(c).createEndpoint("e", { linkLocalAddresses: ["fe80::9"] }),
    "INVALID_OPTION",
    /^invalid link local IP address "fe80::9": network there has no IPv6$/,
  ],
  [
    "a link-local address twice",
    (c) => there(c).createEndpoint("e", { linkLocalAddresses: ["169.254.0.9", "169.254.0.9"] }),
    "ADDRESS_IN_USE",
    /^Address already in use$/,
  ],
  [
    "a multicast MAC address",
    (c) => there(c).createEndpoint("e", { macAddress: "01:00:00:00:00:01" }),
    "INVALID_MAC",
    /multicast/,
  ],
  [
    "an endpoint of a full pool",
    (c) => c.network("full").createEndpoint("e"),
    "NO_AVAILABLE_ADDRESSES",
    /^no available IPv4 addresses on this network's address pools: full \([0-9a-f]{64}\)$/,
  ],
  [
    "joining twice",
    (c) => there(c).endpoint("e1").join(c.sandbox("c2")),
    "ENDPOINT_JOINED",
    /^another container is attached to the same network endpoint e1$/,
  ],
  [
    "joining a network twice",
    (c) => there(c).endpoint("e2").join(box(c)),
    "ENDPOINT_JOINED",
    /^sandbox c1 is already attached to network there$/,
  ],
  [
    "connecting to a network twice",
    (c) => box(c).connect(there(c), { name: "e9" }),
    "ENDPOINT_JOINED",
    /already attached/,
  ],
  [
    "a taken interface name",
    (c) => box(c).connect(c.network("other"), { interfaceName: "eth0" }),
    "INTERFACE_NAME_IN_USE",
    /^interface name eth0 is taken in sandbox c1$/,
  ],
  [
    "the name of the loopback",
    (c) => box(c).connect(c.network("other"), { interfaceName: "lo" }),
    "INTERFACE_NAME_IN_USE",
    /name lo is/,
  ],
  ...["", "a/b", ".", "sixteen-bytes-xx", "a b"].map(
    (name): Refused => [
      `an interface called ${JSON.stringify(name)}`,
      (c) => box(c).connect(c.network("other"), { interfaceName: name }),
      "INVALID_NAME",
      /^invalid interface name/,
    ],
  ),
  [
    "a priority that is none",
    (c) => box(c).connect(c.network("other"), { priority: Number.NaN }),
    "INVALID_OPTION",
    /priority NaN/,
  ],
  [
    "joining a sandbox that is not there",
    (c) =>
      there(c)
        .endpoint("e2")
        .join({ id: there(c).id }),
    "SANDBOX_NOT_FOUND",
    /not found$/,
  ],
  [
    "leaving without having joined",
    (c) => there(c).endpoint("e2").leave(),
    "ENDPOINT_NOT_JOINED",
    /is in no sandbox$/,
  ],
  [
    "deleting what is joined",
    (c) => there(c).endpoint("e1").delete(),
    "ENDPOINT_JOINED",
    /has active containers \(c1\)$/,
  ],
  [
    "an endpoint that is not there",
    async (c) => there(c).endpoint("e7"),
    "ENDPOINT_NOT_FOUND",
    /^endpoint e7 not found in network there$/,
  ],
  [
    "deleting a network with endpoints",
    (c) => there(c).delete(),
    "NETWORK_HAS_ENDPOINTS",
    /^network there has active endpoints \(name:"e1" id:"[0-9a-f]{12}", name:"e2" id:"[0-9a-f]{12}"\)$/,
  ],
];
