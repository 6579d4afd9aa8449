import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { HostService, Network, SandboxSummary } from "../../src/api/index.ts";
import { sampleNetwork, sampleSummary } from "../api/fake-service.ts";
import { repositoryFolder } from "../fixture-file.ts";
import { weft } from "./cli-fixture.ts";

const folder = path.join(repositoryFolder(), "test/cli/golden");
const updating = process.env.WEFT_UPDATE_SCENARIOS !== undefined;

const networks: readonly Network[] = [
  sampleNetwork,
  {
    ...sampleNetwork,
    Name: "a-network-with-a-long-name",
    Id: "2e".repeat(32),
    Driver: "macvlan",
    Internal: true,
    EnableIPv6: true,
    Labels: { tier: "front", colour: "grün" },
  },
];

const sandboxes: readonly SandboxSummary[] = [
  sampleSummary,
  {
    ...sampleSummary,
    Id: "3d".repeat(32),
    Name: "web",
    Command: 'sh -c "printf \u001b[31m; sleep infinity"',
    Created: "2026-11-07T16:07:06.123Z",
    State: "exited",
    Status: "Exited (0) 2 days ago",
    Ports: "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp",
    Networks: ["web", "db"],
    IPAddresses: ["172.18.0.3", "172.19.0.2"],
  },
];

const service: Partial<HostService> = {
  networks: () => networks,
  sandboxes: () => sandboxes,
  plan: async () => ({
    Status: 201,
    Answer: { Id: "1f", Warnings: [] },
    Steps: [
      { Step: "create", Object: "link br-1f1f1f1f1f1f", Value: { kind: "bridge", mtu: 1500 } },
      { Step: "change", Object: "sysctl net.ipv4.ip_forward", Value: "1" },
      { Step: "delete", Object: "route 10.0.0.0/8" },
    ],
  }),
  doctor: async () => [
    { Check: "nftables", Level: "ok", Found: "there", Advice: "" },
    { Check: "vxlan", Level: "warning", Found: "the kernel lacks it", Advice: "load the module vxlan" },
  ],
};

/** What people and programs see: a file of test/cli/golden each, rewritten by `npm test -- --update golden`. */
const files: Readonly<Record<string, readonly (readonly string[])[]>> = {
  "network-ls": [
    ["network", "ls"],
    ["network", "ls", "--no-trunc"],
    ["network", "ls", "-q"],
    ["network", "ls", "-q", "--no-trunc"],
    ["network", "ls", "--format", "json"],
    ["network", "ls", "--format", "{{.Name}} is {{.Driver}}\\t{{.IPv6}}"],
    ["network", "ls", "--format", "{{json .}}"],
    ["network", "ls", "--format", "{{json .Labels}} {{.Labels}}"],
    ["network", "ls", "--format", "table {{.Name}}\\t{{.Internal}}\\t{{.Labels}}"],
  ],
  "network-inspect": [
    ["network", "inspect", "web"],
    ["network", "inspect", "--format", "json", "web", "web"],
    ["network", "inspect", "-f", "{{.Id}}", "web"],
    [
      "network",
      "inspect",
      "--format",
      "{{.Name}}: {{.IPAM.Driver}} {{json .IPAM.Config}} {{.EnableIPv6}}",
      "web",
    ],
    ["network", "inspect", "--format", "{{json .}}", "web"],
  ],
  ps: [
    ["ps"],
    ["ps", "-a", "--no-trunc"],
    ["ps", "-q"],
    ["ps", "--format", "table {{.Names}}\\t{{.State}}\\t{{.Networks}}\\t{{.IPAddresses}}"],
    ["ps", "--format", "{{.ID}} {{.CreatedAt}} {{.RunningFor}}"],
    ["sandbox", "ls"],
  ],
  "sandbox-inspect": [
    ["sandbox", "inspect", "db"],
    [
      "sandbox",
      "inspect",
      "--format",
      "{{.State.Status}} {{.State.ExitCode}} {{.Config.Command.Args}}",
      "db",
    ],
  ],
  host: [
    ["version"],
    ["version", "--format", "{{.Server.Version}}"],
    ["info"],
    ["info", "--format", "json"],
    ["plan", "network", "create", "web"],
    ["plan", "--format", "json", "network", "create", "web"],
    ["plan", "--format", "{{.Step}} {{.Object}}", "network", "create", "web"],
    ["drift"],
    ["drift", "--format", "json"],
    ["drift", "--repair"],
    ["doctor"],
    ["doctor", "--format", "{{.Check}}: {{.Level}}"],
    ["events"],
    ["events", "--format", "json"],
    ["events", "--format", "{{.Action}} {{.Actor.Name}}"],
    ["metrics"],
  ],
  help: [
    [],
    ["--help"],
    ["network"],
    ["network", "create", "--help"],
    ["help", "network", "ls"],
    ["run", "--help"],
    ["exec", "--help"],
    ["sandbox", "create", "--help"],
    ["plan", "--help"],
    ["up", "--help"],
    ["down", "--help"],
    ["store", "--help"],
  ],
};

for (const [name, lines] of Object.entries(files)) {
  test(`what weft prints is as written in ${name}.txt`, async () => {
    let text = "";
    for (const argv of lines) text += await transcript(argv);
    const file = path.join(folder, `${name}.txt`);
    if (updating) writeFileSync(file, text);
    else assert.equal(text, readFileSync(file, "utf8"));
  });
}

async function transcript(argv: readonly string[]): Promise<string> {
  const words = argv.map((word) => (/[^\w./-]/.test(word) ? `'${word}'` : word));
  const { status, stdout, stderr } = await weft(argv, { service });
  const printed = stdout
    .replace(/(Node version: +)\S+/, "$1vN")
    .replace(/(Client:[\s\S]*?Arch: +)\S+/, "$1ARCH");
  const ending = status === 0 ? "" : `(exit status ${status})\n`;
  return `$ ${["weft", ...words].join(" ")}\n${printed}${stderr}${ending}\n`;
}
