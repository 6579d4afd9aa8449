import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, hostNetns, identityOf, type KernelObject, LinuxKernel } from "../../../src/kernel/index.ts";
import type { SetElement, SetType } from "../../../src/kernel/netlink/nftables/index.ts";
import { withNetns } from "../../netns-fixture.ts";

const sets = {
  nets: { key: ["ipv4_addr"], interval: true },
  nets6: { key: ["ipv6_addr"], interval: true },
  own: { key: ["ifname", "ipv4_addr"], interval: true },
  brief: { key: ["ipv4_addr"], timeoutMs: true },
  learned: { key: ["ipv4_addr"], dynamic: true, size: 100 },
  ports: { key: ["inet_proto", "inet_service"], data: ["ipv6_addr", "inet_service"] },
} as const satisfies Readonly<Record<string, SetType>>;

const element = (set: keyof typeof sets, value: SetElement): KernelObject => ({
  kind: "nft-element",
  netns: hostNetns,
  family: "inet",
  table: "weft",
  set,
  type: sets[set],
  element: value,
});

test("elements are found equal to what was wanted however they were written, and passing ones not at all", () =>
  withNetns(["host"], async ({ host }) => {
    const kernel = new LinuxKernel(host.path);
    try {
      const wanted: readonly KernelObject[] = [
        {
          kind: "nft-table",
          netns: hostNetns,
          definition: { family: "inet", table: "weft", sets, chains: {} },
        },
        element("nets", { key: ["10.0.0.1/32"] }),
        element("nets", { key: [{ from: "10.1.0.0", to: "10.1.0.255" }] }),
        element("nets", { key: [{ from: "10.2.0.1", to: "10.2.0.9" }] }),
        element("nets6", { key: ["::/0"] }),
        element("own", { key: ["br0", "0.0.0.0/0"] }),
        element("own", { key: ["br1", "10.0.0.1/32"] }),
        element("brief", { key: ["10.0.0.1"] }),
        element("ports", { key: [17, 53], data: ["FD00:0::2", 53] }),
      ];
      const outcomes = await kernel.apply(wanted.map((object) => ({ op: "create", object })));
      assert.deepEqual(
        outcomes,
        wanted.map(() => undefined),
      );
      host.exec("nft", "add element inet weft brief { 10.0.0.2 timeout 1h }");
      host.exec("nft", "add element inet weft learned { 10.0.0.3 }");
      const found = await kernel.read({ namespaces: [hostNetns], lookUp: [] });
      const own = found.flatMap(({ object, marked }) => (marked ? [object] : []));
      assert.deepEqual(own.map(identityOf).sort(), wanted.map(identityOf).sort());
      for (const object of wanted) {
        const same = own.find((one) => identityOf(one) === identityOf(object));
        assert.equal(same && compare(object, same), "none", identityOf(object));
      }
    } finally {
      kernel.close();
    }
  }));
