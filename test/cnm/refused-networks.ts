import { bridge, bridgeName, longName, options, type Refused, subnets } from "./refused.ts";

const refusedNames: readonly Refused[] = ["", " ", "-a", "a/b", "a b", "é", "a\0b", "\n", ".hidden"].map(
  (name): Refused => [
    `a network called ${JSON.stringify(name)}`,
    bridge(name),
    "INVALID_NAME",
    /^invalid network name/,
  ],
);

/** Networks that cannot be. */
export const refusedNetworks: readonly Refused[] = [
  ...refusedNames,
  [
    "a name of 300 bytes",
    bridge(longName),
    "INVALID_NAME",
    /^invalid network name of 300 characters: .* 128$/,
  ],
  [
    "a second network of one name",
    bridge("there"),
    "NETWORK_EXISTS",
    /^network with name there already exists$/,
  ],
  [
    "an unknown driver",
    (controller) => controller.createNetwork("overlap", "n"),
    "DRIVER_NOT_FOUND",
    /^could not find driver "overlap": there are bridge, host, ipvlan, macvlan, null$/,
  ],
  [
    "an unknown IPAM driver",
    bridge("n", { ipam: { driver: "dhcp" } }),
    "DRIVER_NOT_FOUND",
    /^could not find IPAM driver "dhcp": there are default, null$/,
  ],
  [
    "an unknown option",
    bridge("n", options("com.example", "1")),
    "UNKNOWN_OPTION",
    /"com\.example".*it knows .*mtu/,
  ],
  [
    "an unknown option of the host driver",
    (controller) => controller.createNetwork("host", "n", options("a", "b")),
    "UNKNOWN_OPTION",
    /^unknown option "a" for driver host: it has none$/,
  ],
  [
    "a boolean that is none",
    bridge("n", options("com.docker.network.bridge.enable_icc", "maybe")),
    "INVALID_OPTION",
    /enable_icc value: "maybe" should be true or false/,
  ],
  ...["-1", "12x", "67", "65536"].map(
    (mtu): Refused => [
      `an MTU of ${mtu}`,
      bridge("n", options("com.docker.network.driver.mtu", mtu)),
      "INVALID_OPTION",
      new RegExp(`^invalid MTU number: ${mtu}: it should be from 68 to 65535$`),
    ],
  ),
  [
    "an MTU too small for IPv6",
    bridge("n", { ...options("com.docker.network.driver.mtu", "1279"), ipv6: true }),
    "INVALID_OPTION",
    /from 1280/,
  ],
  ...["", "a/b", "sixteen-bytes-xx", "lo", "..", "a b"].map(
    (name): Refused => [
      `a bridge called ${JSON.stringify(name)}`,
      bridge("n", options(bridgeName, name)),
      "INVALID_OPTION",
      /^invalid com\.docker\.network\.bridge\.name/,
    ],
  ),
  [
    "the bridge of another network",
    bridge("n", options(bridgeName, "br-there")),
    "BRIDGE_NAME_IN_USE",
    /networks have same bridge name$/,
  ],
  ["neither family", bridge("n", { ipv4: false }), "INVALID_OPTION", /^IPv4 or IPv6 must be enabled$/],
  [
    "a subnet that is none",
    bridge("n", subnets({ subnet: "10.0.0" })),
    "INVALID_IPAM_CONFIG",
    /invalid subnet 10\.0\.0/,
  ],
  [
    "a subnet with host bits",
    bridge("n", subnets({ subnet: "10.1.2.3/16" })),
    "INVALID_IPAM_CONFIG",
    /it should be 10\.1\.0\.0\/16/,
  ],
  ["a taken subnet", bridge("n", subnets({ subnet: "10.200.0.0/29" })), "POOL_OVERLAP", /overlaps/i],
  [
    "a subnet around a taken one",
    bridge("n", subnets({ subnet: "10.200.0.0/16" })),
    "POOL_OVERLAP",
    /overlaps/i,
  ],
  [
    "two subnets of a family",
    bridge("n", subnets({ subnet: "10.201.0.0/24" }, { subnet: "10.202.0.0/24" })),
    "INVALID_IPAM_CONFIG",
    /^bridge driver doesn't support multiple subnets$/,
  ],
  [
    "subnets that overlap each other",
    bridge("n", subnets({ subnet: "10.201.0.0/16" }, { subnet: "10.201.2.0/24" })),
    "INVALID_IPAM_CONFIG",
    /multiple overlapping subnet/,
  ],
  [
    "a gateway outside",
    bridge("n", subnets({ subnet: "10.201.0.0/24", gateway: "10.202.0.1" })),
    "INVALID_IPAM_CONFIG",
    /invalid gateway 10\.202\.0\.1: parent subnet 10\.201\.0\.0\/24 doesn't contain this address/,
  ],
  [
    "an auxiliary address outside",
    bridge("n", subnets({ subnet: "10.201.0.0/24", auxAddresses: { router: "10.202.0.1" } })),
    "INVALID_IPAM_CONFIG",
    /auxiliary address router.*doesn't contain/,
  ],
  [
    "an auxiliary address that is the gateway",
    bridge(
      "n",
      subnets({ subnet: "10.201.0.0/24", gateway: "10.201.0.1", auxAddresses: { a: "10.201.0.1" } }),
    ),
    "ADDRESS_IN_USE",
    /secondary ip address \(a:10\.201\.0\.1\): Address already in use/,
  ],
  [
    "a range outside",
    bridge("n", subnets({ subnet: "10.201.0.0/24", ipRange: "10.203.0.0/25" })),
    "INVALID_IPAM_CONFIG",
    /doesn't contain ip-range/,
  ],
  [
    "a network that is not there",
    async (c) => c.network("nowhere"),
    "NETWORK_NOT_FOUND",
    /^network nowhere not found$/,
  ],
  [
    "an aborted request",
    bridge("n", { signal: AbortSignal.abort() }),
    "ABORTED",
    /^the request was given up$/,
  ],
];
