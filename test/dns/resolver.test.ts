import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressFromBytes } from "../../src/core/index.ts";
import { encodeName, readName } from "../../src/dns/name.ts";
import { NameTable } from "../../src/dns/name-table.ts";
import { createView } from "../../src/dns/name-view.ts";
import { type Resolution, resolve, resolveUnknown } from "../../src/dns/resolver.ts";
import { addresses, idOf, seeded } from "./samples.ts";

const net = { id: idOf(1), name: "net" };
const table = new NameTable();
table.publish(net.id, idOf(11), { names: ["web", "www"], addresses: addresses("10.0.0.1", "fd00::1") });
table.publish(net.id, idOf(12), { names: ["v4"], addresses: addresses("10.0.0.2") });
table.publish(net.id, idOf(13), { names: ["odd.arpa"], addresses: addresses("10.0.0.3") });
const view = createView(table, [net]);

const types = { A: 1, NS: 2, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33, HTTPS: 65, ANY: 255 } as const;
type Type = keyof typeof types;

function ask(name: string, type: Type): Resolution {
  return resolve({ name, type: types[type], bytes: Buffer.alloc(0) }, view, seeded(1));
}

function told(resolution: Resolution, type: Type): string {
  if (resolution.kind === "unknown") return "unknown";
  const records = resolution.records.map((data) =>
    type === "PTR" ? readName(data, 0)?.key : addressFromBytes(data),
  );
  return [resolution.rcode, ...records].join(" ");
}

test("known names are answered, with nothing where there is nothing", () => {
  const cases: readonly (readonly [name: string, type: Type, told: string])[] = [
    ["web", "A", "0 10.0.0.1"],
    ["web", "AAAA", "0 fd00::1"],
    ["www.net", "A", "0 10.0.0.1"],
    ["v4", "A", "0 10.0.0.2"],
    ["v4", "AAAA", "0"],
    ["web", "ANY", "0"],
    ["web", "TXT", "0"],
    ["web", "MX", "0"],
    ["web", "NS", "0"],
    ["web", "SRV", "0"],
    ["web", "HTTPS", "0"],
    ["web", "PTR", "0"],
    ["_http._tcp.web", "SRV", "0"],
    ["http.udp.www.net", "SRV", "0"],
    ["_http._tcp.web", "A", "unknown"],
    ["_http._tcp.nobody", "SRV", "unknown"],
    ["_http._quic.web", "SRV", "unknown"],
    ["_tcp.web", "SRV", "unknown"],
    ["x._http._tcp.web", "SRV", "unknown"],
    ["odd.arpa", "A", "0 10.0.0.3"],
    ["1.0.0.10.in-addr.arpa", "PTR", "0 web.net"],
    ["1.0.0.10.in-addr.arpa", "A", "0"],
    ["1.0.0.10.in-addr.arpa", "ANY", "0"],
    [`1.${"0.".repeat(27)}0.0.d.f.ip6.arpa`, "PTR", "0 web.net"],
    ["9.0.0.10.in-addr.arpa", "PTR", "unknown"],
    ["8.8.8.8.in-addr.arpa", "PTR", "unknown"],
    ["nobody", "A", "unknown"],
    ["nobody", "TXT", "unknown"],
    ["", "NS", "unknown"],
  ];
  for (const [name, type, expected] of cases) {
    assert.equal(told(ask(name, type), type), expected, `${name} ${type}`);
  }
});

test("unknown names that only we could know do not exist, others we cannot tell", () => {
  const cases: readonly (readonly [name: string, rcode: number])[] = [
    ["nobody", 3],
    ["nobody.net", 3],
    ["deep.nobody.net", 3],
    ["net", 3],
    ["9.0.0.10.in-addr.arpa", 3],
    ["example.org", 2],
    ["8.8.8.8.in-addr.arpa", 2],
    ["", 2],
  ];
  for (const [name, rcode] of cases) assert.equal(resolveUnknown(name, view).rcode, rcode, name);
});

test("answers are authoritative when we know, and not when we cannot say", () => {
  const known = ask("web", "A");
  assert.equal(known.kind === "answer" && known.authoritative, true);
  assert.equal(resolveUnknown("nobody", view).authoritative, true);
  assert.equal(resolveUnknown("example.org", view).authoritative, false);
});

test("a PTR name that is too long with its network's is given without it", () => {
  const long = { id: idOf(2), name: `${"n".repeat(60)}.`.repeat(3).slice(0, -1) };
  const name = `${"c".repeat(60)}.${"c".repeat(20)}`;
  table.publish(long.id, idOf(21), { names: [name], addresses: addresses("10.9.0.1") });
  const question = { name: "1.0.9.10.in-addr.arpa", type: types.PTR, bytes: Buffer.alloc(0) };
  const resolution = resolve(question, createView(table, [long]), seeded(1));
  assert.equal(told(resolution, "PTR"), `0 ${name}`);
});

test("answers are a permutation of the addresses, and each comes first about as often", () => {
  const many = new NameTable();
  const texts = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"];
  many.publish(net.id, idOf(11), { names: ["many"], addresses: addresses(...texts) });
  const seen = createView(many, [net]);
  const random = seeded(42);
  const first = new Map<string, number>();
  for (let i = 0; i < 4000; i++) {
    const answer = resolve({ name: "many", type: types.A, bytes: Buffer.alloc(0) }, seen, random);
    const got = answer.kind === "answer" ? answer.records.map(addressFromBytes) : [];
    assert.deepEqual([...got].sort(), texts);
    const [head = ""] = got;
    first.set(head, (first.get(head) ?? 0) + 1);
  }
  for (const text of texts) {
    const times = first.get(text) ?? 0;
    assert.ok(times > 850 && times < 1150, `${text} came first ${times} of 4000 times`);
  }
});

test("no question makes it throw", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), fc.nat(65535), (name, type) => {
      const key = encodeName(name) === undefined ? "x" : name;
      resolve({ name: key, type, bytes: Buffer.alloc(0) }, view, seeded(1));
      resolveUnknown(key, view);
    }),
  );
});
