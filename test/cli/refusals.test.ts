import assert from "node:assert/strict";
import { test } from "node:test";
import { weft } from "./cli-fixture.ts";

/** Command lines that are wrong, the status and the words. Of none the daemon hears. */
const table: readonly (readonly [line: string, status: number, words: string])[] = [
  ["foo", 2, "unknown command 'foo'; see `weft --help`"],
  ["netwrk ls", 2, "unknown command 'netwrk' (Did you mean network?); see `weft --help`"],
  ["--bad ps", 2, "unknown option '--bad'; see `weft --help`"],
  ["-H", 2, "option '-H, --host <socket>' argument missing; see `weft --help`"],
  ["ps --bad", 2, "unknown option '--bad'; see `weft ps --help`"],
  ["ps x", 2, "too many arguments for 'ps'. Expected 0 arguments but got 1; see `weft ps --help`"],
  [
    "ps --filter name",
    2,
    "option '-f, --filter <key=value>' argument 'name' is invalid. It should be KEY=VALUE, as in name=web or label=tier=front; see `weft ps --help`",
  ],
  ["ps --all=maybe", 2, "unknown option '--all=maybe'; see `weft ps --help`"],
  ["network creat", 2, "unknown command 'creat' (Did you mean create?); see `weft network --help`"],
  ["network create", 2, "missing required argument 'name'; see `weft network create --help`"],
  [
    "network create a b",
    2,
    "too many arguments for 'create'. Expected 1 argument but got 2; see `weft network create --help`",
  ],
  [
    "network create --label =x web",
    2,
    "option '--label <key=value>' argument '=x' is invalid. It should be KEY=VALUE; see `weft network create --help`",
  ],
  [
    "network create --aux-address x web",
    2,
    "option '--aux-address <name=ip>' argument 'x' is invalid. It should be KEY=VALUE; see `weft network create --help`",
  ],
  ["network create --gateway 10.0.0.1 web", 2, "every ip-range or gateway must have a corresponding subnet"],
  [
    "network create --subnet 10.0.0.0/8 --subnet 10.1.0.0/16 web",
    2,
    "multiple overlapping subnet configuration is not supported",
  ],
  [
    "network create --subnet 10.0.0.0/24 --ip-range 10.1.0.0/24 web",
    2,
    "no matching subnet for range 10.1.0.0/24",
  ],
  [
    "network create --subnet 10.0.0.0/24 --gateway 10.1.0.1 web",
    2,
    "no matching subnet for gateway 10.1.0.1",
  ],
  [
    "network create --subnet 10.0.0.0/24 --aux-address a=10.1.0.1 web",
    2,
    "no matching subnet for aux-address 10.1.0.1",
  ],
  [
    "network create --subnet 10.0.0.0/24 --gateway 10.0.0.1 --gateway 10.0.0.2 web",
    2,
    "cannot configure multiple gateways (10.0.0.1, 10.0.0.2) on the same subnet (10.0.0.0/24)",
  ],
  [
    "network create --subnet 10.0.0.0/24 --ip-range 10.0.0.0/25 --ip-range 10.0.0.128/25 web",
    2,
    "cannot configure multiple ranges (10.0.0.0/25, 10.0.0.128/25) on the same subnet (10.0.0.0/24)",
  ],
  ["network create --subnet 10.0.0.1/24 web", 1, "invalid prefix 10.0.0.1/24: it should be 10.0.0.0/24"],
  ["network create --subnet x web", 1, 'invalid CIDR "x": it should be ADDRESS/LENGTH'],
  ["network create --subnet 10.0.0.0/24 --gateway x web", 1, 'invalid address "x"'],
  [
    "network ls --format {{.Foo}}",
    2,
    "--format: no field .Foo: there are ID, Name, Driver, Scope, IPv4, IPv6, Internal, Labels, CreatedAt",
  ],
  ["network ls --format {{.Name.X}}", 2, "--format: .Name has no fields"],
  ["network ls --format {{.Name", 2, '--format: "{{.Name" has no closing }}'],
  ["network inspect --format {{index} web", 2, '--format: "{{index}" has no closing }}'],
  [
    "network inspect --format {{len}} web",
    2,
    "--format: {{len}} is not understood: it should be {{.Field}}, {{.Field.Field}}, {{json .Field}} or {{json .}}",
  ],
  [
    "network connect --gw-priority x web db",
    2,
    "option '--gw-priority <number>' argument 'x' is invalid. It should be a whole number; see `weft network connect --help`",
  ],
  ["network connect web", 2, "missing required argument 'sandbox'; see `weft network connect --help`"],
  [
    "network prune --filter x",
    2,
    "option '--filter <key=value>' argument 'x' is invalid. It should be KEY=VALUE, as in name=web or label=tier=front; see `weft network prune --help`",
  ],
  ["run", 125, "missing required argument 'command'; see `weft run --help`"],
  ["run --bad true", 125, "unknown option '--bad'; see `weft run --help`"],
  ["run -d --network web --network web true", 125, 'network "web" is specified multiple times'],
  [
    "run -d --network host --network web true",
    125,
    "conflicting options: --network host cannot be combined with another network",
  ],
  ["run -d --network none --ip 10.0.0.1 true", 125, "conflicting options: --ip and the network mode none"],
  [
    "run -d --network name=host,alias=x true",
    125,
    "conflicting options: --network-alias and the network mode host",
  ],
  [
    "run -d --network name=web,ip=10.0.0.1 --ip 10.0.0.2 true",
    125,
    "conflicting options: cannot specify both --ip and the same of --network web",
  ],
  [
    "run -d --network name=web,color=red true",
    125,
    '--network: invalid field key "color": there are name, alias, ip, ip6, mac-address, link-local-ip, driver-opt, gw-priority',
  ],
  ["run -d --network name=web,red true", 125, 'invalid field "red" must be a key=value pair'],
  ["run -d --network alias=a true", 125, 'invalid --network "alias=a": network name must be specified'],
  [
    "run -d --network name=web,gw-priority=x true",
    125,
    'invalid gw-priority "x": it should be a whole number',
  ],
  [
    "run -d --sysctl net.a true",
    125,
    "option '--sysctl <key=value>' argument 'net.a' is invalid. It should be KEY=VALUE; see `weft run --help`",
  ],
  ["run -d -e =x true", 125, "invalid environment variable: =x"],
  [
    "run -d --env-file /not/there true",
    125,
    "--env-file: ENOENT: no such file or directory, open '/not/there'",
  ],
  [
    "run -d --restart sometimes true",
    125,
    "option '--restart <policy>' argument 'sometimes' is invalid. It should be no, on-failure[:times], always or unless-stopped; see `weft run --help`",
  ],
  [
    "run -d --restart always:3 true",
    125,
    "option '--restart <policy>' argument 'always:3' is invalid. It should be no, on-failure[:times], always or unless-stopped; see `weft run --help`",
  ],
  ["run -d --rm --restart always true", 125, "conflicting options: cannot specify both --restart and --rm"],
  [
    "run -d --stop-timeout -1 true",
    125,
    "option '--stop-timeout <seconds>' argument '-1' is invalid. It should be a whole number, 0 or more; see `weft run --help`",
  ],
  ["run -d --log-opt color=red true", 125, 'unknown log opt "color": there are max-size and max-file'],
  ["run -d --log-opt max-size=big true", 125, 'invalid max-size "big": it should be a size, as 10m'],
  ["run -d --log-opt max-file=x true", 125, 'invalid max-file "x": it should be a number'],
  ["run -it true", 125, "the input device is not a TTY"],
  ["exec", 125, "missing required argument 'sandbox'; see `weft exec --help`"],
  ["exec db", 125, "missing required argument 'command'; see `weft exec --help`"],
  ["exec -it db true", 125, "the input device is not a TTY"],
  ["exec -d db true", 125, "unknown option '-d'; see `weft exec --help`"],
  [
    "sandbox create x",
    2,
    "too many arguments for 'create'. Expected 0 arguments but got 1; see `weft sandbox create --help`",
  ],
  ["sandbox create --pid 1 --netns /x", 2, "conflicting options: cannot specify both --netns and --pid"],
  [
    "sandbox create --pid x",
    2,
    "option '--pid <pid>' argument 'x' is invalid. It should be a whole number, 0 or more; see `weft sandbox create --help`",
  ],
  ["sandbox create --pid 0", 2, "invalid --pid 0: it should be the number of a process"],
  ["sandbox rm", 2, "missing required argument 'sandbox'; see `weft sandbox rm --help`"],
  [
    "stop -t x db",
    2,
    "option '-t, --time <seconds>' argument 'x' is invalid. It should be a whole number, 0 or more; see `weft stop --help`",
  ],
  [
    "logs --tail x db",
    2,
    "option '-n, --tail <lines>' argument 'x' is invalid. It should be a whole number, 0 or more; see `weft logs --help`",
  ],
  [
    "attach --detach-keys ctrl- db",
    2,
    'invalid --detach-keys "ctrl-": it should be as ctrl-p,ctrl-q or ctrl-a,d',
  ],
  ["plan ps", 2, "nothing to plan: weft ps changes no network"],
  ["plan network ls", 2, "nothing to plan: weft network ls changes no network"],
  ["plan network create", 2, "missing required argument 'name'; see `weft network create --help`"],
  ["plan", 2, "missing required argument 'command'; see `weft plan --help`"],
  ["drift --repair --format {{.}}", 2, 'invalid --format "{{.}}": with --repair it should be json'],
  ["drift --format {{.X}}", 2, "--format: no field .X: there are Drift, Object, Wanted, Found"],
  [
    "events --format {{x}}",
    2,
    "--format: {{x}} is not understood: it should be {{.Field}}, {{.Field.Field}}, {{json .Field}} or {{json .}}",
  ],
  ["daemon --check-config", 2, "--check-config needs --config FILE"],
  [
    "completion csh",
    2,
    "command-argument value 'csh' is invalid for argument 'shell'. Allowed choices are bash, zsh, fish; see `weft completion --help`",
  ],
  ["store", 0, ""],
  ["store backup", 2, "missing required argument 'file'; see `weft store backup --help`"],
];

for (const [line, status, words] of table) {
  test(`weft ${line} ends with ${status} and says why`, async () => {
    const outcome = await weft(line.split(" "));
    assert.equal(outcome.stderr, words === "" ? "" : `weft: ${words}\n`);
    assert.equal(outcome.status, status);
    if (status !== 0) assert.equal(outcome.stdout, "");
    assert.deepEqual(outcome.calls, []);
  });
}
