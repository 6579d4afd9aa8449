import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AcceptRuleObject,
  acceptMark,
  hostNetns,
  isKernelError,
  LinuxKernel,
} from "../../../src/kernel/index.ts";
import { addRule, commit, listRules } from "../../../src/kernel/netlink/nftables/index.ts";
import { NETLINK_NETFILTER } from "../../../src/kernel/netlink/socket.ts";
import { encode, struct, u8, u32 } from "../../../src/kernel/netlink/wire.ts";
import { type TestNetns, withNetns } from "../../netns-fixture.ts";

const acceptRule = (family: AcceptRuleObject["family"], table: string, chain: string): AcceptRuleObject => ({
  kind: "accept-rule",
  netns: hostNetns,
  family,
  table,
  chain,
});
const four = acceptRule("ip", "filter", "FORWARD");
const six = acceptRule("ip6", "filter", "FORWARD");
const printed = "-A FORWARD -m mark --mark 0x1000000/0x1000000 -j ACCEPT";

interface Host {
  readonly host: TestNetns;
  readonly kernel: LinuxKernel;
  /** Carries out one operation; the errno's name when it is refused. */
  run(op: "create" | "delete", object: AcceptRuleObject): Promise<string>;
  /** The accept rules that are found. */
  found(): Promise<readonly AcceptRuleObject[]>;
}

function onHost(work: (host: Host) => Promise<void>): Promise<void> {
  return withNetns(["host"], async ({ host }) => {
    const kernel = new LinuxKernel(host.path);
    try {
      await work({
        host,
        kernel,
        run: async (op, object) => {
          const [outcome] = await kernel.apply([{ op, object }]);
          return isKernelError(outcome) ? outcome.errnoName : (outcome ?? "done");
        },
        found: async () => {
          const found = await kernel.read({ namespaces: [hostNetns], lookUp: [] });
          return found.flatMap(({ object, marked }) =>
            marked && object.kind === "accept-rule" ? [object] : [],
          );
        },
      });
    } finally {
      kernel.close();
    }
  });
}

/** The rules of the chain as iptables(8) prints them. */
const rules = (host: TestNetns, program = "iptables") =>
  host
    .exec(program, "-S", "FORWARD")
    .split("\n")
    .filter((line) => line.startsWith("-A"));

for (const [program, object] of [
  ["iptables", four],
  ["ip6tables", six],
] as const) {
  test(`${program} prints the rule as it would be written by hand, and saves and restores it`, () =>
    onHost(async ({ host, run, found }) => {
      host.exec(program, "-P", "FORWARD", "DROP");
      host.exec(program, "-A", "FORWARD", "-p", "tcp", "-j", "ACCEPT");
      assert.equal(await run("create", object), "done");
      assert.deepEqual(rules(host, program), [printed, "-A FORWARD -p tcp -j ACCEPT"]);
      const saved = host.exec(`${program}-save`);
      host.exec("sh", "-c", `printf '%s' '${saved}' | ${program}-restore`);
      assert.deepEqual(rules(host, program), [printed, "-A FORWARD -p tcp -j ACCEPT"]);
      assert.deepEqual(await found(), [object]);
      assert.equal(await run("create", object), "done");
      assert.equal(rules(host, program).length, 2);
      assert.equal(await run("delete", object), "done");
      assert.deepEqual(rules(host, program), ["-A FORWARD -p tcp -j ACCEPT"]);
      assert.match(host.exec(program, "-S"), /-P FORWARD DROP/);
    }));
}

test("the rule is found in whatever way somebody wrote it, wherever it stands, and its like is not", () =>
  onHost(async ({ host, run, found }) => {
    host.exec("iptables", "-P", "FORWARD", "DROP");
    for (const [mark, target] of [
      ["0x1000000/0x1000000", "DROP"],
      ["0x1000000/0x3000000", "ACCEPT"],
      ["0x1000000", "ACCEPT"],
    ] as const)
      host.exec("iptables", "-A", "FORWARD", "-m", "mark", "--mark", mark, "-j", target);
    const like = rules(host);
    assert.deepEqual(await found(), []);
    host.exec(
      "iptables",
      "-I",
      "FORWARD",
      "2",
      "-m",
      "mark",
      "--mark",
      "0x1000000/0x1000000",
      "-j",
      "ACCEPT",
    );
    assert.deepEqual(await found(), [four]);
    host.exec("nft", "add rule ip filter FORWARD meta mark and 0x1000000 == 0x1000000 accept");
    assert.equal(await run("create", four), "done");
    assert.equal(rules(host).length, like.length + 2, "no third one");
    assert.equal(await run("delete", four), "done");
    assert.deepEqual(rules(host), like);
  }));

test("the rule is found as iptables before 1.8.9 wrote it", () =>
  onHost(async ({ host, run, found }) => {
    host.exec("iptables", "-P", "FORWARD", "DROP");
    const socket = host.netlink(NETLINK_NETFILTER);
    const chain = { family: "ip", table: "filter", chain: "FORWARD" } as const;
    // struct xt_mark_mtinfo1 of include/uapi/linux/netfilter/xt_mark.h, padded as nft_compat wants it.
    const info = struct({ mark: u32, mask: u32, invert: u8 });
    const match = (invert: number) => {
      const bytes = Buffer.concat([
        encode(info, { mark: acceptMark, mask: acceptMark, invert }),
        Buffer.alloc(7),
      ]);
      const name = Buffer.from("090001006d61726b00000000", "hex");
      const revision = Buffer.from("0800020000000001", "hex");
      const header = Buffer.from([bytes.length + 4, 0, 3, 0]);
      return Buffer.concat([name, revision, header, bytes]).toString("hex");
    };
    const old = (invert: number) => ({
      steps: [
        { kind: "unknown", name: "match", bytes: match(invert) },
        { kind: "counter" },
        { kind: "verdict", verdict: { verdict: "accept" } },
      ] as const,
    });
    commit(socket, addRule(chain, old(1)));
    assert.deepEqual(await found(), []);
    commit(socket, addRule(chain, old(0)));
    assert.equal(rules(host)[1], printed);
    assert.deepEqual(await found(), [four]);
    assert.equal(await run("delete", four), "done");
    assert.equal(listRules(socket, chain, chain.chain).length, 1);
  }));

test("chains of nft's own and of two families get it and lose it with all else", () =>
  onHost(async ({ host, kernel, run, found }) => {
    const chain = "{ type filter hook forward priority filter + 10; policy drop; }";
    host.exec("nft", `add table inet filter; add chain inet filter forward ${chain}`);
    host.exec("nft", `add table ip6 guard; add chain ip6 guard last ${chain}`);
    host.exec("nft", `add table bridge filter; add chain bridge filter forward ${chain}`);
    const objects = [acceptRule("inet", "filter", "forward"), acceptRule("ip6", "guard", "last")];
    for (const object of objects) assert.equal(await run("create", object), "done");
    assert.match(
      host.exec("nft", "list", "chain", "inet", "filter", "forward"),
      /meta mark & 0x01000000 == 0x01000000 counter packets 0 bytes 0 accept/,
    );
    const sorted = async () => (await found()).map(({ family }) => family).sort();
    assert.deepEqual(await sorted(), ["inet", "ip6"]);
    host.exec("nft", "flush", "ruleset");
    assert.deepEqual(await found(), []);
    for (const object of objects) assert.equal(await run("delete", object), "done");
    const [refusal] = await kernel.apply(objects.map((object) => ({ op: "create", object })));
    assert.ok(isKernelError(refusal, "ENOENT"));
    assert.match(refusal.message, /rule in chain inet filter forward: ENOENT/);
  }));

test("a rule that somebody flushed is missing, and is made again", () =>
  onHost(async ({ host, run, found }) => {
    host.exec("iptables", "-P", "FORWARD", "DROP");
    assert.equal(await run("create", four), "done");
    host.exec("iptables", "-F");
    assert.deepEqual(await found(), []);
    assert.equal(await run("delete", four), "done");
    assert.equal(await run("create", four), "done");
    assert.deepEqual(rules(host), [printed]);
  }));
