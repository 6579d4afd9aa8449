import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { NetworkCreateInput, SandboxCreateInput } from "../../../src/api/index.ts";
import { type ErrorCode, isWeftError } from "../../../src/core/index.ts";
import { type TestDaemon, withDaemon } from "./test-daemon.ts";

type Refused = readonly [code: ErrorCode, words: string];

const command = (facts: object = {}) => ({ Command: { Args: ["true"], ...facts } });
const onBridge = (facts: object) => ({ Networks: [{ Network: "bridge", ...facts }], ...command() });
const onNet = (facts: object) => ({ Networks: [{ Network: "net", ...facts }], ...command() });

/** Sandboxes that are refused for what was asked, before anything of them is there: started or only made. */
const sandboxes: readonly (readonly [SandboxCreateInput, ...Refused])[] = [
  [
    { Name: "a b" },
    "INVALID_NAME",
    'invalid sandbox name "a b": it should be letters, digits, and _ . - after the first',
  ],
  [
    { Name: "-x" },
    "INVALID_NAME",
    'invalid sandbox name "-x": it should be letters, digits, and _ . - after the first',
  ],
  [
    { Name: "x".repeat(129) },
    "INVALID_NAME",
    "invalid sandbox name of 129 characters: it should have at most 128",
  ],
  [
    { NetworkMode: "foo" },
    "INVALID_OPTION",
    'invalid network mode "foo": it should be host, none or container:SANDBOX',
  ],
  [{ NetworkMode: "container:nobody", ...command() }, "SANDBOX_NOT_FOUND", "no such sandbox: nobody"],
  [
    { NetworkMode: "host", Netns: "/x" },
    "INVALID_OPTION",
    "a sandbox in a namespace given by path takes no network mode",
  ],
  [
    { NetworkMode: "host", Networks: [{ Network: "net" }] },
    "INVALID_OPTION",
    "network mode host goes with no other network",
  ],
  [
    { NetworkMode: "host", Sysctls: { "net.ipv4.ip_forward": "1" }, ...command() },
    "INVALID_OPTION",
    'sysctl "net.ipv4.ip_forward" not allowed in host network namespace',
  ],
  ...(
    [
      [{ Hostname: "x" }, "conflicting options: hostname and the network mode"],
      [{ Dns: ["192.0.2.53"] }, "conflicting options: dns and the network mode"],
      [
        { ExtraHosts: ["x:192.0.2.1"] },
        "conflicting options: custom host-to-IP mapping and the network mode",
      ],
      [{ Ports: ["80"] }, "conflicting options: port publishing and the container type network mode"],
      [{ PublishAllPorts: true }, "conflicting options: port publishing and the container type network mode"],
      [{ ExposedPorts: ["80"] }, "conflicting options: port exposing and the container type network mode"],
      [
        { Sysctls: { "net.ipv4.ip_forward": "1" } },
        'sysctl "net.ipv4.ip_forward" not allowed in the network namespace of another sandbox',
      ],
    ] as const
  ).map(([facts, words]): readonly [SandboxCreateInput, ...Refused] => [
    { NetworkMode: "container:other", ...command(), ...(facts as SandboxCreateInput) },
    "INVALID_OPTION",
    words,
  ]),
  [
    onBridge({ IPv4Address: "172.17.0.9" }),
    "INVALID_OPTION",
    "user-specified IP address is supported on user-defined networks only",
  ],
  [
    onBridge({ Aliases: ["x"] }),
    "INVALID_OPTION",
    "network-scoped aliases are only supported for user-defined networks",
  ],
  [onNet({ IPv4Address: "1.2.3" }), "INVALID_ADDRESS", 'invalid address "1.2.3"'],
  [
    onNet({ IPv6Address: "fd00::1" }),
    "INVALID_IPAM_CONFIG",
    "invalid address fd00::1: network net has no IPv6",
  ],
  [
    onNet({ MacAddress: "xx" }),
    "INVALID_MAC",
    'invalid MAC address "xx": it should be six hexadecimal bytes, xx:xx:xx:xx:xx:xx',
  ],
  [
    onNet({ LinkLocalIPs: ["10.0.0.1"] }),
    "INVALID_OPTION",
    'invalid link local IP address "10.0.0.1": it should be of 169.254.0.0/16 or fe80::/64',
  ],
  [
    onNet({ Aliases: ["a b"] }),
    "INVALID_NAME",
    'invalid alias name "a b": it should be letters, digits, and _ . - after the first',
  ],
  [onNet({ Links: ["a:b:c"] }), "INVALID_OPTION", 'invalid link "a:b:c": it should be NAME:ALIAS'],
  [
    onNet({ DriverOpts: { foo: "1" } }),
    "UNKNOWN_OPTION",
    'unknown option "foo" for an endpoint of driver bridge: it knows com.docker.network.endpoint.ifname, com.docker.network.endpoint.sysctls',
  ],
  [{ Networks: [{ Network: "nope" }] }, "NETWORK_NOT_FOUND", "network nope not found"],
  [
    { Networks: [{ Network: "net" }, { Network: "net" }], ...command() },
    "ENDPOINT_JOINED",
    "sandbox t is already attached to network net",
  ],
  [
    { Networks: [{ Network: "host" }], ...command() },
    "INVALID_OPTION",
    "cannot connect container to host network - container must be created in host network mode",
  ],
  [
    { Networks: [{ Network: "none" }, { Network: "net" }], ...command() },
    "INVALID_OPTION",
    "container cannot be connected to multiple networks with one of the networks in private (none) mode",
  ],
  [
    { Hostname: "a b", ...command() },
    "INVALID_NAME",
    'invalid hostname "a b": it should be at most 64 letters, digits, hyphens and dots',
  ],
  [
    { Domainname: "a b", ...command() },
    "INVALID_NAME",
    'invalid domain name "a b": it should be at most 64 letters, digits, hyphens and dots',
  ],
  [{ Dns: ["x"], ...command() }, "INVALID_ADDRESS", 'invalid address "x"'],
  [
    { DnsSearch: ["a b"], ...command() },
    "INVALID_OPTION",
    'invalid search domain "a b": it should be 1 to 255 printable characters without blanks',
  ],
  [
    { DnsOptions: ["a b"], ...command() },
    "INVALID_OPTION",
    'invalid resolver option "a b": it should be 1 to 255 printable characters without blanks',
  ],
  [
    { ExtraHosts: ["x"], ...command() },
    "INVALID_OPTION",
    'invalid extra host "x": it should be NAME:ADDRESS',
  ],
  [{ ExtraHosts: ["x:y"], ...command() }, "INVALID_ADDRESS", 'invalid address "y"'],
  [
    { Sysctls: { "kernel.foo": "1" }, ...command() },
    "INVALID_OPTION",
    'sysctl "kernel.foo" is not allowed: it should begin with net.',
  ],
  [
    { Ports: ["x"], ...command() },
    "INVALID_PORT",
    'invalid containerPort: "x" is neither a port nor a range of ports',
  ],
  [
    { Ports: ["80:80/foo"], ...command() },
    "INVALID_PORT",
    'invalid proto: foo in "80:80/foo": use tcp, udp or sctp',
  ],
  [
    { Ports: ["70000:80"], ...command() },
    "INVALID_PORT",
    "invalid hostPort: 70000: ports go from 1 to 65535",
  ],
  [
    { ExposedPorts: ["80/foo"], ...command() },
    "INVALID_PORT",
    'invalid proto: foo in "80/foo": use tcp, udp or sctp',
  ],
  [
    { Netns: "/nope", ...command() },
    "INVALID_OPTION",
    'invalid network namespace "/nope": there is no such file',
  ],
  [{ StopSignal: "SIGFOO", ...command() }, "INVALID_SIGNAL", "Invalid signal: SIGFOO"],
  [command({ Env: ["x"] }), "INVALID_OPTION", 'invalid environment variable "x": it should be NAME=value'],
  [command({ Env: ["a\0=x"] }), "INVALID_COMMAND", 'invalid environment variable name "a\\u0000"'],
  [
    command({ WorkingDir: "rel" }),
    "INVALID_COMMAND",
    'the working directory "rel" is invalid, it needs to be an absolute path',
  ],
  [
    command({ Rootfs: "rel" }),
    "INVALID_COMMAND",
    'the rootfs "rel" is invalid, it needs to be an absolute path',
  ],
  [command({ CapAdd: ["FOO"] }), "INVALID_CAPABILITY", 'invalid CapAdd: unknown capability: "CAP_FOO"'],
  [command({ CapDrop: ["FOO"] }), "INVALID_CAPABILITY", 'invalid CapDrop: unknown capability: "CAP_FOO"'],
  [{ Command: { Args: [""] } }, "INVALID_COMMAND", "no command: it should be a program and its arguments"],
  [{ Command: { Args: ["a\0b"] } }, "INVALID_COMMAND", 'a NUL character in "a\\u0000b"'],
  [{ AutoRemove: true }, "INVALID_OPTION", "a sandbox without a command has no end at which to be removed"],
  [
    { AutoRemove: true, RestartPolicy: { Name: "always" }, ...command() },
    "INVALID_OPTION",
    "a sandbox that is removed when its command ends is not restarted",
  ],
  [
    { RestartPolicy: { Name: "always", MaximumRetryCount: 3 }, ...command() },
    "INVALID_OPTION",
    "maximum retry count cannot be used with restart policy 'always'",
  ],
];

/** Sandboxes that only their start can refuse: the host says no. */
const starts: readonly (readonly [SandboxCreateInput, ...Refused])[] = [
  [
    { Sysctls: { "net.nope.foo": "1" }, ...command() },
    "INVALID_OPTION",
    'sysctl "net.nope.foo" is not allowed: a network namespace of this kernel has none of that name',
  ],
  [
    { Netns: "/etc/passwd", ...command() },
    "INVALID_OPTION",
    'invalid network namespace "/etc/passwd": it is no network namespace',
  ],
  [
    { Sysctls: { "net.ipv4.tcp_fin_timeout": "soon" }, ...command() },
    "INVALID_OPTION",
    'invalid value of sysctl net.ipv4.tcp_fin_timeout: the kernel refuses "soon"',
  ],
  [
    { Ports: ["192.0.2.77:80:80"], ...command() },
    "HOST_ADDRESS_MISSING",
    "failed to bind host port 192.0.2.77:80/tcp: cannot assign requested address: the host has no address 192.0.2.77",
  ],
  [
    command({ WorkingDir: "/nope" }),
    "INVALID_COMMAND",
    'working directory "/nope": no such file or directory',
  ],
  [
    command({ User: "nobody-here" }),
    "INVALID_COMMAND",
    "unable to find user nobody-here: no matching entries in passwd file",
  ],
  [command({ Rootfs: "/nope" }), "INVALID_COMMAND", 'rootfs "/nope" is no folder'],
  [
    { Command: { Args: ["no-such-program"] } },
    "COMMAND_NOT_FOUND",
    'exec "no-such-program": executable file not found in $PATH',
  ],
];

const networks: readonly (readonly [NetworkCreateInput, ...Refused])[] = [
  [{ Name: "" }, "INVALID_NAME", "invalid network name: name is empty"],
  [{ Name: "host" }, "NETWORK_PREDEFINED", "operation is not permitted on predefined host network"],
  [{ Name: "net" }, "NETWORK_EXISTS", "network with name net already exists"],
  [{ Name: "n", Driver: "nope" }, "DRIVER_NOT_FOUND", ""],
  [{ Name: "n", Options: { foo: "1" } }, "UNKNOWN_OPTION", ""],
  [
    { Name: "n", IPAM: { Config: [{ Subnet: "fd00::/64" }] } },
    "INVALID_IPAM_CONFIG",
    "invalid network config:\ninvalid subnet fd00::/64: IPv6 is not enabled for this network: it needs --ipv6, EnableIPv6",
  ],
  [{ Name: "n", EnableIPv4: false }, "INVALID_OPTION", "IPv4 or IPv6 must be enabled"],
  [{ Name: "n", ConfigFrom: "nope" }, "NETWORK_NOT_FOUND", 'configuration network "nope" does not exist'],
];

/** What a refused request must not have changed. */
async function stateOf(daemon: TestDaemon) {
  const { client, netns } = daemon;
  return {
    sandboxes: (await client.sandboxes({}, { all: true })).map(({ Id }) => Id),
    networks: (await client.networks()).map(({ Id }) => Id),
    rules: netns.exec("nft", "list", "ruleset"),
    drift: await client.drift(),
    containers: await daemon.ok("network", "inspect", "-f", "{{json .Containers}}", "net", "bridge"),
  };
}

/** Does what has to be refused, one after the other; gives those that were refused otherwise, with how. */
class Refusals {
  readonly others: string[] = [];

  async check(what: object, work: Promise<unknown>, [code, words]: Refused): Promise<void> {
    const error: unknown = await work.then(
      () => undefined,
      (cause: unknown) => cause,
    );
    if (isWeftError(error, code) && (words === "" || error.message === words)) return;
    this.others.push(`${JSON.stringify(what)}: ${isWeftError(error) ? error.code : ""} ${error}`);
  }
}

suite("bad requests to a daemon", () => {
  test("a sandbox that cannot be as asked is refused when it is made, and nothing has changed", () =>
    withDaemon(async (daemon) => {
      const { client } = daemon;
      await daemon.ok("network", "create", "net");
      await daemon.ok("run", "-d", "--name", "other", "busybox", "sleep", "1000");
      const before = await stateOf(daemon);
      const refusals = new Refusals();
      for (const [request, code, words] of sandboxes) {
        const named = { Name: "t", ...request };
        for (const start of [true, false])
          await refusals.check(named, client.createSandbox(named, { start }), [code, words]);
      }
      for (const [request, code, words] of starts)
        await refusals.check(request, client.createSandbox(request, { start: true }), [code, words]);
      for (const [request, code, words] of networks)
        await refusals.check(request, client.createNetwork(request), [code, words]);
      assert.deepEqual(refusals.others, []);
      assert.deepEqual(await stateOf(daemon), before);
      assert.doesNotMatch(daemon.log(), /removal-failed/);
      // One that does not run is connected to nothing that it could not be opened with.
      await client.createSandbox({ Name: "closed", ...command() });
      for (const [network, facts, code] of [
        ["host", {}, "INVALID_OPTION"],
        ["none", {}, "INVALID_OPTION"],
        ["net", { IPv4Address: "x" }, "INVALID_ADDRESS"],
        ["bridge", {}, "ENDPOINT_EXISTS"],
      ] as const)
        await refusals.check([network, facts], client.connect(network, { Sandbox: "closed", ...facts }), [
          code,
          "",
        ]);
      assert.deepEqual(refusals.others, []);
      assert.deepEqual((await client.sandbox("closed")).Config.Networks, [{ Network: "bridge" }]);
      await daemon.ok("rm", "closed");
      assert.deepEqual(await stateOf(daemon), before);
    }));
});
