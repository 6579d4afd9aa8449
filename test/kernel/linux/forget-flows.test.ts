import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "../../../src/core/index.ts";
import { type ForgetFlowsEffect, hostNetns, isKernelError, LinuxKernel } from "../../../src/kernel/index.ts";
import { listFlows } from "../../../src/kernel/netlink/conntrack/index.ts";
import { NETLINK_NETFILTER } from "../../../src/kernel/netlink/socket.ts";
import { withNetns } from "../../netns-fixture.ts";
import { insertFlow, type PublishedFlow } from "../flows.ts";

const flow = (more: Partial<PublishedFlow>): PublishedFlow => ({
  protocol: "udp",
  to: "192.0.2.1",
  port: 53,
  behind: "10.0.0.2",
  client: "192.0.2.7",
  ...more,
});
const six = { to: "2001:db8::1", behind: "fd00::2", client: "2001:db8::7" };

/** Each flow by a name, and what of it stays. */
const flows: Readonly<Record<string, PublishedFlow>> = {
  "udp 53": flow({}),
  "udp 53 of another address": flow({ to: "192.0.2.2", client: "192.0.2.9" }),
  "udp 54": flow({ port: 54 }),
  "udp 53 of another sandbox": flow({ behind: "10.0.0.3", client: "192.0.2.8" }),
  "tcp 53": flow({ protocol: "tcp" }),
  "udp 53 by IPv6": flow(six),
  "tcp 80 by IPv6": flow({ ...six, protocol: "tcp", port: 80 }),
};

const forget = (more: Partial<ForgetFlowsEffect>): ForgetFlowsEffect => ({
  effect: "forget-flows",
  netns: hostNetns,
  family: 4,
  ...more,
});
const one = parseAddress("192.0.2.1");
const sandbox = parseAddress("10.0.0.2");
const everything = Object.keys(flows);
const but = (...gone: readonly string[]) => everything.filter((name) => !gone.includes(name));

const rows: readonly (readonly [string, readonly ForgetFlowsEffect[], readonly string[]])[] = [
  ["nothing", [], everything],
  [
    "a port",
    [forget({ protocol: 17, originalAddress: one, originalPort: 53 })],
    but("udp 53", "udp 53 of another sandbox"),
  ],
  [
    "a port of every address",
    [forget({ protocol: 17, originalPort: 53 })],
    but("udp 53", "udp 53 of another address", "udp 53 of another sandbox"),
  ],
  [
    "two ports and a sandbox at once",
    [
      forget({ protocol: 17, originalAddress: one, originalPort: 54 }),
      forget({ protocol: 6, originalPort: 53 }),
      forget({ replySource: parseAddress("10.0.0.3") }),
    ],
    but("udp 54", "tcp 53", "udp 53 of another sandbox"),
  ],
  [
    "a sandbox's flows of one protocol",
    [forget({ protocol: 17, replySource: sandbox })],
    but("udp 53", "udp 53 of another address", "udp 54"),
  ],
  [
    "what a client began, and what a sandbox answered",
    [forget({ originalSource: parseAddress("192.0.2.8") }), forget({ replySource: sandbox, protocol: 6 })],
    but("udp 53 of another sandbox", "tcp 53"),
  ],
  [
    "what a client began alone",
    [forget({ originalSource: parseAddress("192.0.2.9") })],
    but("udp 53 of another address"),
  ],
  [
    "what a client began by IPv6",
    [forget({ family: 6, originalSource: parseAddress(six.client), protocol: 17 })],
    but("udp 53 by IPv6"),
  ],
  [
    "a sandbox by IPv6",
    [forget({ family: 6, replySource: parseAddress("fd00::2"), protocol: 6 })],
    but("tcp 80 by IPv6"),
  ],
  [
    "both families at once",
    [forget({ family: 6 }), forget({ protocol: 6 })],
    but("udp 53 by IPv6", "tcp 80 by IPv6", "tcp 53"),
  ],
  [
    "what nothing matches",
    [forget({ protocol: 132 }), forget({ originalPort: 53, replySource: one })],
    everything,
  ],
];

for (const [what, effects, left] of rows) {
  test(`forgetting ${what} leaves all else`, () =>
    withNetns(["host"], async ({ host }) => {
      const kernel = new LinuxKernel(host.path);
      try {
        const socket = host.netlink(NETLINK_NETFILTER);
        const names = new Map<number, string>();
        for (const [name, made] of Object.entries(flows)) {
          insertFlow(host, made);
          for (const { id } of listFlows(socket)) if (!names.has(id)) names.set(id, name);
        }
        assert.deepEqual(
          await kernel.run(effects),
          effects.map(() => undefined),
        );
        assert.deepEqual(
          listFlows(socket)
            .map(({ id }) => names.get(id))
            .sort(),
          [...left].sort(),
        );
      } finally {
        kernel.close();
      }
    }));
}

test("a namespace that is not there fails its own effects, and no others", () =>
  withNetns(["host"], async ({ host }) => {
    const kernel = new LinuxKernel(host.path);
    try {
      insertFlow(host, flow({}));
      const nowhere = forget({ netns: `${host.path}-nowhere` });
      const [refused, done] = await kernel.run([nowhere, forget({})]);
      assert.ok(isKernelError(refused, "ENOENT"));
      assert.equal(done, undefined);
      assert.deepEqual(listFlows(host.netlink(NETLINK_NETFILTER)), []);
    } finally {
      kernel.close();
    }
  }));
