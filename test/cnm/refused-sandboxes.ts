import type { Refused } from "./refused.ts";

/** Sandboxes that cannot be. */
export const refusedSandboxes: readonly Refused[] = [
  ["a sandbox without a name", (c) => c.createSandbox(""), "INVALID_NAME", /^invalid container name/],
  [
    "a second sandbox of a container",
    (c) => c.createSandbox("c1"),
    "SANDBOX_EXISTS",
    /^a sandbox for container c1 already exists$/,
  ],
  [
    "a bad hostname",
    (c) => c.createSandbox("c", { hostname: "-x" }),
    "INVALID_NAME",
    /^invalid hostname "-x"/,
  ],
  [
    "a long hostname",
    (c) => c.createSandbox("c", { hostname: "x".repeat(65) }),
    "INVALID_NAME",
    /at most 64/,
  ],
  [
    "a bad domain",
    (c) => c.createSandbox("c", { domainName: "a..b" }),
    "INVALID_NAME",
    /^invalid domain name/,
  ],
  [
    "a host with a blank",
    (c) => c.createSandbox("c", { extraHosts: { "a b": "10.0.0.1" } }),
    "INVALID_NAME",
    /^invalid extra host "a b"/,
  ],
  [
    "a host without a name",
    (c) => c.createSandbox("c", { extraHosts: { "": "10.0.0.1" } }),
    "INVALID_NAME",
    /^invalid extra host: name is empty$/,
  ],
  [
    "a host without an address",
    (c) => c.createSandbox("c", { extraHosts: { a: "nowhere" } }),
    "INVALID_ADDRESS",
    /"nowhere"/,
  ],
  [
    "host-gateway without a gateway",
    (c) => c.createSandbox("c", { extraHosts: { host: "host-gateway" } }),
    "INVALID_OPTION",
    /^unable to derive the IP value for host-gateway/,
  ],
  ...[
    "kernel.hostname",
    "net",
    "net.ipv4",
    "net..a",
    "net/ipv4/ip_forward",
    "net.ipv4.conf.../../../kernel",
  ].map(
    (name): Refused => [
      `the sysctl ${name}`,
      (c) => c.createSandbox("c", { sysctls: { [name]: "1" } }),
      "INVALID_OPTION",
      /^sysctl ".*" is not allowed: it should begin with net\.$/,
    ],
  ),
  [
    "a sysctl of an interface",
    (c) => c.createSandbox("c", { sysctls: { "net.ipv4.conf.eth0.log_martians": "1" } }),
    "INVALID_OPTION",
    /^sysctl "net\.ipv4\.conf\.eth0\.log_martians" is not allowed: an interface's are set by the option com\.docker/,
  ],
  [
    "a sysctl of the host",
    (c) => c.createSandbox("c", { hostNetns: true, sysctls: { "net.ipv4.ip_forward": "1" } }),
    "INVALID_OPTION",
    /^sysctl "net\.ipv4\.ip_forward" not allowed in host network namespace$/,
  ],
  [
    "a sysctl of another's namespace",
    (c) => c.createSandbox("c", { netnsPath: "/proc/self/ns/net", sysctls: { "net.ipv4.ip_forward": "1" } }),
    "INVALID_OPTION",
    /^sysctl "net\.ipv4\.ip_forward" not allowed in a network namespace that something else made$/,
  ],
  [
    "a sysctl without a value",
    (c) => c.createSandbox("c", { sysctls: { "net.ipv4.ip_forward": "" } }),
    "INVALID_OPTION",
    /^invalid value of sysctl net\.ipv4\.ip_forward/,
  ],
  [
    "a name server that is none",
    (c) => c.createSandbox("c", { dns: ["dns.example"] }),
    "INVALID_ADDRESS",
    /"dns\.example"/,
  ],
  [
    "a search domain with a line of its own",
    (c) => c.createSandbox("c", { dnsSearch: ["a\nnameserver 192.0.2.66"] }),
    "INVALID_OPTION",
    /^invalid search domain "a\\nnameserver/,
  ],
  [
    "a resolver option of two",
    (c) => c.createSandbox("c", { dnsOptions: ["a b"] }),
    "INVALID_OPTION",
    /^invalid resolver option "a b"/,
  ],
  [
    "two namespaces at once",
    (c) => c.createSandbox("c", { hostNetns: true, netnsPath: "/proc/self/ns/net" }),
    "INVALID_OPTION",
    /not in both$/,
  ],
  [
    "a sandbox that is not there",
    async (c) => c.sandbox("c7"),
    "SANDBOX_NOT_FOUND",
    /^sandbox c7 not found$/,
  ],
  [
    "a sandbox with an endpoint that cannot be",
    (c) =>
      c.createSandbox("c", { endpoints: [{ network: c.network("other") }, { network: c.network("full") }] }),
    "NO_AVAILABLE_ADDRESSES",
    /full/,
  ],
];
