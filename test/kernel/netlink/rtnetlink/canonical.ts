import { readAttributes } from "../../../../src/kernel/netlink/attributes.ts";
import {
  type NetlinkRequest,
  NLM_F_ACK,
  NLM_F_REQUEST,
  readMessages,
  writeMessage,
} from "../../../../src/kernel/netlink/message.ts";
import * as rtm from "../../../../src/kernel/netlink/rtnetlink/rtm.ts";
import { Writer } from "../../../../src/kernel/netlink/wire.ts";
import { readFixture } from "../../../fixture-file.ts";

/** What a request says, without what may differ between two that say the same. */
export interface CanonicalRequest {
  readonly type: number;
  readonly flags: number;
  readonly header: string;
  /** Path of numbers and value in hex, sorted. */
  readonly attributes: readonly string[];
}

/** What is inside an attribute: text with or without a NUL at its end, or attributes behind a header. */
type Inside = "text" | { readonly header: number; readonly members: Readonly<Record<number, Inside>> };

const flat: Inside = { header: 0, members: {} };

function linkMembers(data: Inside): Readonly<Record<number, Inside>> {
  const info = { header: 0, members: { 1: "text", 2: data, 4: "text", 5: flat } } as const;
  return { 3: "text", 18: info, 20: "text", 26: { header: 0, members: { 10: flat } }, 53: "text" };
}

const vethPeer: Inside = { header: 16, members: linkMembers(flat) };

/** Header sizes and texts of the message types, by the first of each four. */
const layouts: Readonly<
  Record<
    number,
    { readonly header: number; readonly members: (isVeth: boolean) => Readonly<Record<number, Inside>> }
  >
> = {
  [rtm.RTM_NEWLINK]: {
    header: 16,
    members: (isVeth) => linkMembers(isVeth ? { header: 0, members: { 1: vethPeer } } : flat),
  },
  [rtm.RTM_NEWADDR]: { header: 8, members: () => ({ 3: "text" }) },
  [rtm.RTM_NEWROUTE]: { header: 12, members: () => ({ 8: flat }) },
  [rtm.RTM_NEWNEIGH]: { header: 12, members: () => ({}) },
  [rtm.RTM_NEWRULE]: { header: 12, members: () => ({ 3: "text", 17: "text" }) },
  [rtm.RTM_NEWNSID]: { header: 4, members: () => ({}) },
};

function flatten(bytes: Buffer, members: Readonly<Record<number, Inside>>, path: string): string[] {
  const found: string[] = [];
  for (const { number, payload } of readAttributes(bytes)) {
    const inside = members[number];
    const at = `${path}/${number}`;
    if (inside === undefined) found.push(`${at}=${payload.toString("hex")}`);
    else if (inside === "text") found.push(`${at}=${payload.toString("utf8").replace(/\0$/, "")}`);
    else {
      if (inside.header > 0) found.push(`${at}=${payload.toString("hex", 0, inside.header)}`);
      found.push(...flatten(payload.subarray(inside.header), inside.members, at));
    }
  }
  return found;
}

/** The canonical form of one message. */
export function canonical(bytes: Buffer): CanonicalRequest {
  const [message] = [...readMessages(bytes)];
  if (message === undefined) throw new Error("no message");
  // RTM_SETLINK and RTM_NEWLINK without NLM_F_CREATE both change a link.
  const type = message.type === rtm.RTM_SETLINK ? rtm.RTM_NEWLINK : message.type;
  const layout = layouts[type & ~3];
  if (layout === undefined) throw new Error(`message type ${type}`);
  const { payload } = message;
  const members = layout.members(payload.includes("veth"));
  return {
    type,
    flags: message.flags & ~(NLM_F_REQUEST | NLM_F_ACK),
    header: payload.toString("hex", 0, layout.header),
    attributes: flatten(payload.subarray(layout.header), members, "").sort(),
  };
}

/** The bytes of a request of ours. */
export function requestBytes(request: NetlinkRequest): Buffer {
  const writer = new Writer();
  writeMessage(writer, request, NLM_F_REQUEST, 0);
  return Buffer.from(writer.finish());
}

/** What one command sent. */
export interface RequestFixture {
  readonly command: string;
  readonly request: string;
}

/** What one command asked and was told. */
export interface DumpFixture {
  readonly command: string;
  readonly sent: readonly string[];
  readonly received: readonly string[];
}

/** Commands and what they sent, as capture-rtnetlink.mjs wrote them. */
export function requestFixtures(name: string): RequestFixture[] {
  return JSON.parse(readFixture(`rtnetlink/${name}.json`)) as RequestFixture[]; // written by that script
}

/** Commands and what the kernel answered. */
export function dumpFixtures(): DumpFixture[] {
  return JSON.parse(readFixture("rtnetlink/dumps.json")) as DumpFixture[]; // written by that script
}
