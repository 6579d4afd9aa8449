import assert from "node:assert/strict";
import { test } from "node:test";
import { NetworkCreate, SandboxCreate } from "../../src/api/index.ts";
import type { Call } from "../api/fake-service.ts";
import { weft } from "./cli-fixture.ts";

const network = (request: object): Call => ["createNetwork", NetworkCreate.parse(request)];
const sandbox = (request: object, start = true): Call => [
  "createSandbox",
  SandboxCreate.parse(request),
  { start },
];
/** A sandbox whose command is `true`, started in the folder that weft was called in. */
const command = (request: object, own: object = {}): Call =>
  sandbox({ ...request, Command: { Args: ["true"], WorkingDir: "/home/me/here", ...own } });

const plan = async () => ({
  Status: 200,
  Answer: { Id: "1f", Warnings: [], NetworksDeleted: [] },
  Steps: [],
});

/** Command lines, and what the daemon is asked for because of them. */
const table: readonly (readonly [line: string, ...calls: Call[]])[] = [
  ["network create web", network({ Name: "web" })],
  ["network create -d macvlan web", network({ Name: "web", Driver: "macvlan" })],
  [
    "network create web --internal --ipv6 --attachable",
    network({ Name: "web", Internal: true, EnableIPv6: true, Attachable: true }),
  ],
  [
    "network create --internal=true --ipv6=false --ipv4=false web",
    network({ Name: "web", Internal: true, EnableIPv4: false }),
  ],
  ["network create web --internal=false --no-ipv4", network({ Name: "web", EnableIPv4: false })],
  ["network create --config-only conf", network({ Name: "conf", ConfigOnly: true })],
  ["network create --config-from conf web", network({ Name: "web", ConfigFrom: "conf" })],
  [
    "network create --subnet 10.1.0.0/16 --subnet=fd00::/64 --ip-range 10.1.2.0/24 --gateway fd00::9 --gateway 10.1.0.7 --aux-address a=10.1.0.3 --aux-address b=fd00::4 web",
    network({
      Name: "web",
      IPAM: {
        Config: [
          {
            Subnet: "10.1.0.0/16",
            IPRange: "10.1.2.0/24",
            Gateway: "10.1.0.7",
            AuxiliaryAddresses: { a: "10.1.0.3" },
          },
          { Subnet: "fd00::/64", Gateway: "fd00::9", AuxiliaryAddresses: { b: "fd00::4" } },
        ],
      },
    }),
  ],
  [
    "network create --ipam-driver null --ipam-opt a=1 -o parent=eth0 --opt encrypted --label x --label y=1=2 web",
    network({
      Name: "web",
      IPAM: { Driver: "null", Options: { a: "1" } },
      Options: { parent: "eth0", encrypted: "" },
      Labels: { x: "", y: "1=2" },
    }),
  ],
  ["network ls", ["networks", {}]],
  [
    "network list -f driver=bridge -f label=a -f label=b=c",
    ["networks", { driver: ["bridge"], label: ["a", "b=c"] }],
  ],
  ["network inspect -v web", ["network", "web", { verbose: true }]],
  ["network inspect web db", ["network", "web", { verbose: false }], ["network", "db", { verbose: false }]],
  ["network rm web db", ["removeNetwork", "web"], ["removeNetwork", "db"]],
  ["network prune -f --filter label=old", ["pruneNetworks", { label: ["old"] }]],
  ["network connect web db", ["connect", "web", { Sandbox: "db" }]],
  [
    "network connect --ip 10.1.0.9 --ip6 fd00::9 --alias a --alias b --gw-priority -5 -o k=v --link x:y --mac-address 02:00:00:00:00:01 --link-local-ip 169.254.1.1 web db",
    [
      "connect",
      "web",
      {
        Sandbox: "db",
        Aliases: ["a", "b"],
        Links: ["x:y"],
        IPv4Address: "10.1.0.9",
        IPv6Address: "fd00::9",
        LinkLocalIPs: ["169.254.1.1"],
        MacAddress: "02:00:00:00:00:01",
        GwPriority: -5,
        DriverOpts: { k: "v" },
      },
    ],
  ],
  ["network disconnect web db", ["disconnect", "web", { Sandbox: "db", Force: false }]],
  ["network disconnect -f web db", ["disconnect", "web", { Sandbox: "db", Force: true }]],

  ["run -d true", command({})],
  ["run -d -- true", command({})],
  [
    "run -d true --rm -d -- x",
    sandbox({ Command: { Args: ["true", "--rm", "-d", "--", "x"], WorkingDir: "/home/me/here" } }),
  ],
  ["run --detach=true --rm=false true", command({})],
  ["run -d --network web true", command({ Networks: [{ Network: "web" }] })],
  ["run -d --net=web --network db true", command({ Networks: [{ Network: "db" }, { Network: "web" }] })],
  ["run -d --network host true", command({ NetworkMode: "host" })],
  ["run -d --net none true", command({ NetworkMode: "none" })],
  ["run -d --network container:db true", command({ NetworkMode: "container:db" })],
  ["run -d --ip 10.1.0.9 true", command({ Networks: [{ Network: "bridge", IPv4Address: "10.1.0.9" }] })],
  [
    "run -d --network web --network db --ip 10.1.0.9 --ip6 fd00::9 --mac-address 02:00:00:00:00:01 --network-alias a --net-alias b --link x:y --link-local-ip 169.254.1.1 true",
    command({
      Networks: [
        {
          Network: "web",
          IPv4Address: "10.1.0.9",
          IPv6Address: "fd00::9",
          MacAddress: "02:00:00:00:00:01",
          Aliases: ["a", "b"],
          Links: ["x:y"],
          LinkLocalIPs: ["169.254.1.1"],
        },
        { Network: "db" },
      ],
    }),
  ],
  [
    "run -d --network name=web,alias=a,alias=b,ip=10.1.0.9,ip6=fd00::9,mac-address=02:00:00:00:00:01,gw-priority=-7,link-local-ip=169.254.1.1,driver-opt=k=v=w true",
    command({
      Networks: [
        {
          Network: "web",
          Aliases: ["a", "b"],
          IPv4Address: "10.1.0.9",
          IPv6Address: "fd00::9",
          MacAddress: "02:00:00:00:00:01",
          GwPriority: -7,
          LinkLocalIPs: ["169.254.1.1"],
          DriverOpts: { k: "v=w" },
        },
      ],
    }),
  ],
  [
    "run -d --name n -h box --domainname d --dns 9.9.9.9 --dns-search a.b --dns-option ndots:2 --dns-opt rotate --add-host x:1.2.3.4 --sysctl net.a=1 -l k=v true",
    command({
      Name: "n",
      Labels: { k: "v" },
      Hostname: "box",
      Domainname: "d",
      Dns: ["9.9.9.9"],
      DnsSearch: ["a.b"],
      DnsOptions: ["ndots:2", "rotate"],
      ExtraHosts: ["x:1.2.3.4"],
      Sysctls: { "net.a": "1" },
    }),
  ],
  [
    "run -dP -p 8080:80 -p127.0.0.1::53/udp --expose 99 true",
    command({ Ports: ["8080:80", "127.0.0.1::53/udp"], PublishAllPorts: true, ExposedPorts: ["99"] }),
  ],
  ["run -dit --rm true", command({ AutoRemove: true }, { Tty: true, OpenStdin: true })],
  [
    "run -d -e A=1 -eB=2 --env C= -e HOME -e NOT_THERE true",
    command({}, { Env: ["A=1", "B=2", "C=", "HOME=/me"] }),
  ],
  ["run -d --rootfs img true", sandbox({ Command: { Args: ["true"], Rootfs: "/home/me/here/img" } })],
  [
    "run -d --rootfs /img -w /srv --read-only true",
    sandbox({ Command: { Args: ["true"], Rootfs: "/img", WorkingDir: "/srv", ReadonlyRootfs: true } }),
  ],
  [
    "run -d -u 1:2 --cap-add NET_ADMIN --cap-drop ALL --privileged true",
    command({}, { User: "1:2", CapAdd: ["NET_ADMIN"], CapDrop: ["ALL"], Privileged: true }),
  ],
  [
    "run -d --restart on-failure:3 --stop-signal INT --stop-timeout 4 true",
    command({
      RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
      StopSignal: "INT",
      StopTimeout: 4,
    }),
  ],
  [
    "run -d --restart unless-stopped --log-opt max-size=64k --log-opt max-file=5 true",
    command({ RestartPolicy: { Name: "unless-stopped" }, LogConfig: { MaxSize: 65536, MaxFile: 5 } }),
  ],

  ["sandbox create", sandbox({}, false)],
  [
    "sandbox create --netns ns/blue --name blue --network web",
    sandbox({ Name: "blue", Netns: "/home/me/here/ns/blue", Networks: [{ Network: "web" }] }, false),
  ],
  ["sandbox create --pid 42", sandbox({ Netns: "/proc/42/ns/net" }, false)],
  ["sandbox ls -f name=x", ["sandboxes", { name: ["x"] }, { all: true }]],
  ["sandbox inspect db", ["sandbox", "db"]],
  ["sandbox rm -f a b", ["removeSandbox", "a", { force: true }], ["removeSandbox", "b", { force: true }]],
  ["ps", ["sandboxes", {}, { all: false }]],
  ["ps -a --filter status=exited", ["sandboxes", { status: ["exited"] }, { all: true }]],
  ["rm db", ["removeSandbox", "db", { force: false }]],
  ["start a b", ["startSandbox", "a"], ["startSandbox", "b"]],
  ["stop db", ["stopSandbox", "db", { timeout: undefined }]],
  ["stop -t 0 db", ["stopSandbox", "db", { timeout: 0 }]],
  ["restart --time=5 db", ["restartSandbox", "db", { timeout: 5 }]],
  ["kill db", ["killSandbox", "db", { signal: "SIGKILL" }]],
  ["kill -s HUP a b", ["killSandbox", "a", { signal: "HUP" }], ["killSandbox", "b", { signal: "HUP" }]],
  ["wait a", ["waitSandbox", "a"]],
  ["logs db", ["logs", "db", { follow: false }]],
  ["logs -f --tail 0 db", ["logs", "db", { tail: 0, follow: true }]],
  ["logs -n all db", ["logs", "db", { follow: false }]],
  ["events", ["events", { filters: {} }]],
  [
    "events --since 10m --until 2026-11-21 -f type=network",
    ["events", { since: "2026-11-21T18:57:06.123Z", until: "2026-11-21", filters: { type: ["network"] } }],
  ],
  ["events --since 1h30m", ["events", { since: "2026-11-21T17:37:06.123Z", filters: {} }]],
  ["drift --repair", ["repair"]],
  ["doctor", ["doctor"]],
  ["metrics", ["metrics"]],
  ["info", ["info"]],
  ["version", ["version"]],
  ["store backup -", ["backup"]],
  ["plan network rm web", ["plan", { Method: "DELETE", Path: "/v1/networks/web" }]],
  ["plan network create web", ["plan", { Method: "POST", Path: "/v1/networks", Body: { Name: "web" } }]],
  [
    "plan run -it --network web true -d",
    [
      "plan",
      {
        Method: "POST",
        Path: "/v1/sandboxes?start=true",
        Body: {
          Networks: [{ Network: "web" }],
          Command: { Args: ["true", "-d"], WorkingDir: "/home/me/here", Tty: true, OpenStdin: true },
        },
      },
    ],
  ],
  [
    "plan stop -t 1 a b",
    ["plan", { Method: "POST", Path: "/v1/sandboxes/a/stop?timeout=1" }],
    ["plan", { Method: "POST", Path: "/v1/sandboxes/b/stop?timeout=1" }],
  ],
  ["plan network prune", ["plan", { Method: "POST", Path: "/v1/networks/prune" }]],
];

for (const [line, ...expected] of table) {
  test(`weft ${line} asks the daemon for just that`, async () => {
    const { status, stderr, calls } = await weft(line.split(" "), {
      env: { HOME: "/me" },
      service: { plan },
    });
    assert.deepEqual(withoutUndefined(calls), withoutUndefined(expected));
    assert.equal(stderr.replace("weft: warning: slow\n", ""), "");
    assert.equal(status, 0);
  });
}

function withoutUndefined(calls: readonly Call[]): unknown {
  return JSON.parse(JSON.stringify(calls));
}
