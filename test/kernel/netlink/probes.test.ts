import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "../../../src/core/index.ts";
import {
  genetlink,
  type NetlinkRequest,
  NLM_F_ACK,
  NLM_F_REQUEST,
  rtnetlink,
  xfrm,
} from "../../../src/kernel/netlink/index.ts";
import { readFixture } from "../../fixture-file.ts";
import { type RequestFixture, requestBytes } from "./rtnetlink/canonical.ts";

const key = Buffer.from(`${"0123456789abcdef".repeat(2)}a1b2c3d4`, "hex");
const state = { spi: 0x1234, reqid: 7 };
const aead = (icvLength: number) => ({ name: "rfc4106(gcm(aes))", key, icvLength });

/** Our request for each captured command, in their order. */
const ours: readonly NetlinkRequest[] = [
  rtnetlink.addNetem(101),
  rtnetlink.addNetem(101, { delayMs: 20, loss: 0.5, limit: 77 }),
  genetlink.getFamily("IPVS"),
  xfrm.addState({
    ...state,
    source: parseAddress("192.0.2.1"),
    destination: parseAddress("192.0.2.2"),
    mode: "transport",
    aead: aead(64),
  }),
  xfrm.addState({
    ...state,
    source: parseAddress("fd00::1"),
    destination: parseAddress("fd00::2"),
    mode: "tunnel",
    aead: aead(128),
  }),
];

/** Type, flags and body. Whether an answer is wanted is the socket's to say, and padding at the end says nothing. */
function comparable(hex: string): string {
  const flags = Number.parseInt(hex.slice(12, 14), 16) & ~(NLM_F_REQUEST | NLM_F_ACK);
  const body = hex.slice(16).replace(/(00)*$/, "");
  return `${hex.slice(8, 12)} ${flags} ${hex.slice(14, 16)} ${body}`;
}

test("requests for the parts of a kernel that are probed are those of ip, tc and genl", () => {
  const captured = JSON.parse(readFixture("probes.json")) as RequestFixture[]; // written by capture-probes.mjs
  assert.equal(captured.length, ours.length);
  for (const [i, { command, request }] of captured.entries()) {
    const own = ours[i];
    assert.ok(own !== undefined);
    assert.equal(comparable(requestBytes(own).toString("hex")), comparable(request), command);
  }
});
