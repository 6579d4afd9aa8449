import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressFromBytes, macFromBytes, parseAddress, parseMac } from "../../../src/core/index.ts";
import { readClaim } from "../../../src/kernel/neighbours/claims.ts";
import { announcementFrame, probeFrame } from "../../../src/kernel/neighbours/frames.ts";

const machine = "02:00:00:00:00:0b";

/** Frames that Linux 6.18 sent for an interface of the address `machine`, seen at the other end of its veth. */
const sentByLinux = {
  "announces 192.0.2.5 by arp_notify":
    "ffffffffffff02000000000b0806000108000604000102000000000bc0000205000000000000c0000205",
  "answers an ARP probe":
    "02000000000a02000000000b0806000108000604000202000000000bc000020502000000000a00000000",
  "detects duplicates of 2001:db8::5":
    "3333ff00000502000000000b86dd6000000000203aff00000000000000000000000000000000ff0200000000000000000001ff0000058700718c0000000020010db80000000000000000000000050e01d064708e8c5c",
  "answers a solicitation from nobody":
    "33330000000102000000000b86dd6000000000203aff20010db8000000000000000000000005ff0200000000000000000000000000018800f9182000000020010db8000000000000000000000005020102000000000b",
  "reports multicast groups":
    "33330000001602000000000b86dd600000000038000100000000000000000000000000000000ff0200000000000000000000000000163a000502000001008f006d600000000204000000ff0200000000000000000001ff00000504000000ff0200000000000000000001ff00000b",
  "solicits routers":
    "33330000000202000000000b86dd6000000000103afffe80000000000000000000fffe00000bff02000000000000000000000000000285007b1800000000010102000000000b",
} as const;

const frame = (what: keyof typeof sentByLinux) => Buffer.from(sentByLinux[what], "hex");

test("what Linux sends is read as what it says", () => {
  const says = (what: keyof typeof sentByLinux) => readClaim(frame(what));
  const holds4 = { address: "192.0.2.5", claim: "holds", mac: machine };
  const holds6 = { address: "2001:db8::5", claim: "holds", mac: machine };
  assert.deepEqual(says("announces 192.0.2.5 by arp_notify"), holds4);
  assert.deepEqual(says("answers an ARP probe"), holds4);
  assert.deepEqual(says("detects duplicates of 2001:db8::5"), { ...holds6, claim: "probes" });
  assert.deepEqual(says("answers a solicitation from nobody"), holds6);
  assert.equal(says("reports multicast groups"), undefined);
  assert.equal(says("solicits routers"), undefined);
});

test("our own announcements and probes are read as such, for any address", () => {
  const mac = parseMac("02:42:0a:00:00:02");
  // No address that nobody can have: the unspecified one, and multicast.
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }).filter(([first = 0]) => first > 0 && first < 224),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).filter(([first = 0]) => first > 0 && first < 0xff),
  );
  fc.assert(
    fc.property(bytes.map(addressFromBytes), (address) => {
      assert.deepEqual(readClaim(announcementFrame(mac, address)), { address, claim: "holds", mac });
      assert.deepEqual(readClaim(probeFrame(mac, address)), { address, claim: "probes", mac });
    }),
  );
});

/** The frame with other bytes at an offset. */
function changed(what: keyof typeof sentByLinux, at: number, hex: string): Buffer {
  const bytes = frame(what);
  bytes.set(Buffer.from(hex, "hex"), at);
  return bytes;
}

test("frames that break a rule of their protocol say nothing", () => {
  const arp = "announces 192.0.2.5 by arp_notify";
  const answer = "answers a solicitation from nobody";
  const broken: Readonly<Record<string, Buffer>> = {
    "an EtherType of something else": changed(arp, 12, "0800"),
    "ARP for another kind of link": changed(arp, 14, "0006"),
    "ARP for another protocol": changed(arp, 16, "86dd"),
    "ARP with other sizes": changed(arp, 18, "0804"),
    RARP: changed(arp, 20, "0003"),
    "ARP from a multicast address": changed(arp, 22, "01005e000001"),
    "ARP from no address": changed(arp, 22, "000000000000"),
    "an ARP reply from nobody": changed("answers an ARP probe", 28, "00000000"),
    "ARP cut off": frame(arp).subarray(0, 41),
    "another IP version": changed(answer, 14, "40"),
    "a hop limit that routers have lowered": changed(answer, 21, "fe"),
    "another next header": changed(answer, 20, "11"),
    "a code": changed(answer, 55, "01"),
    "a wrong checksum": changed(answer, 56, "f919"),
    "a length beyond the frame": changed(answer, 18, "0028"),
    "a length below the message's": changed(answer, 18, "0010"),
    "an option without a length": changed(answer, 79, "00"),
    "an option beyond the message": changed(answer, 79, "02"),
    "neighbour discovery cut off": frame(answer).subarray(0, 77),
    "no frame at all": Buffer.alloc(0),
    "half an Ethernet header": frame(arp).subarray(0, 13),
  };
  for (const [what, bytes] of Object.entries(broken)) assert.equal(readClaim(bytes), undefined, what);
});

test("padding behind a short packet is not read", () => {
  const padded = (what: keyof typeof sentByLinux) => Buffer.concat([frame(what), Buffer.alloc(20, 0xa5)]);
  for (const what of ["answers an ARP probe", "answers a solicitation from nobody"] as const)
    assert.deepEqual(readClaim(padded(what)), readClaim(frame(what)));
});

test("strangers' bytes never throw, and a claim is always of a canonical address and MAC", () => {
  const known = fc.constantFrom(...Object.values(sentByLinux)).map((hex) => Buffer.from(hex, "hex"));
  const mutated = fc
    .tuple(known, fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 6 }), fc.nat(140))
    .map(([bytes, changes, length]) => {
      const copy = Buffer.from(bytes);
      for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
      return copy.subarray(0, length);
    });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      const claim = readClaim(bytes);
      if (claim === undefined) return;
      assert.equal(parseAddress(claim.address), claim.address);
      assert.equal(parseMac(claim.mac), claim.mac);
    }),
    { numRuns: 20_000 },
  );
});

test("a link address that is none of an interface is not believed", () => {
  // The advertisement's own option is a multicast address: then the frame's source is who said it.
  const bytes = changed("answers a solicitation from nobody", 80, "01005e000001");
  bytes.writeUInt16BE(0, 56);
  bytes.writeUInt16BE(checksum(bytes), 56);
  assert.equal(readClaim(bytes)?.mac, machine);
  bytes.set(Buffer.from("01005e000001", "hex"), 6);
  assert.equal(readClaim(bytes), undefined);
  assert.equal(macFromBytes(frame("answers an ARP probe").subarray(6, 12)), machine);
});

/** RFC 4443 §2.3, of a frame of 86 bytes. */
function checksum(bytes: Buffer): number {
  let sum = bytes.readUInt16BE(18) + 58;
  for (let at = 22; at < 86; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
