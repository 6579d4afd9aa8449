import { messageType, wireLimits } from "./message-type.ts";
import { fields, type PackReader } from "./pack-reader.ts";
import { PackWriter } from "./pack-writer.ts";

/** Who asked, so that the answer finds them behind whatever rewrote the packet's source. Absent from old peers. */
export interface PingSource {
  /** 4 or 16 bytes, or none. */
  readonly address: Uint8Array;
  readonly port: number;
  readonly node: string;
}

/** Are you there? `node` is the name of who is asked; somebody else at the address keeps silent. */
export interface Ping {
  readonly seqNo: number;
  readonly node: string;
  readonly source: PingSource;
}

/** Ask that node for me, and tell me with `nack` when it does not answer. */
export interface IndirectPing {
  readonly seqNo: number;
  readonly target: Uint8Array;
  readonly port: number;
  readonly node: string;
  readonly nack: boolean;
  readonly source: PingSource;
}

/** I am there. */
export interface Ack {
  readonly seqNo: number;
  /** For the ping delegate; may be empty. */
  readonly payload: Uint8Array;
}

/** `from` says that `node` does not answer, or is dead; for a dead node `from` itself, that it left. */
export interface Accusation {
  readonly incarnation: number;
  readonly node: string;
  readonly from: string;
}

/** `node` is there, at this address. */
export interface Alive {
  readonly incarnation: number;
  readonly node: string;
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  /** 0 from a peer of protocol version 1. */
  readonly port: number;
  readonly meta: Uint8Array;
  /** {@link Versions} as six bytes; empty from old peers. */
  readonly versions: Uint8Array;
}

/** What a push/pull tells of one node. */
export interface PushNode extends Alive {
  /** 0 alive, 1 suspect, 2 dead, 3 left. */
  readonly state: number;
}

/** What a push/pull begins with. */
export interface PushPullHead {
  readonly nodes: number;
  readonly userStateLength: number;
  readonly join: boolean;
}

const empty: Uint8Array = new Uint8Array(0);
/** Of a ping whose sender names no source. */
export const noSource: PingSource = { address: empty, port: 0, node: "" };
const maxPort = 0xffff;

const pingFields = fields("Node", "SeqNo", "SourceAddr", "SourceNode", "SourcePort");
const indirectFields = fields(
  "Nack",
  "Node",
  "Port",
  "SeqNo",
  "SourceAddr",
  "SourceNode",
  "SourcePort",
  "Target",
);
const ackFields = fields("Payload", "SeqNo");
const accusationFields = fields("From", "Incarnation", "Node");
const aliveFields = fields("Addr", "Incarnation", "Meta", "Node", "Port", "Vsn");
const pushNodeFields = fields("Addr", "Incarnation", "Meta", "Name", "Port", "State", "Vsn");
const headFields = fields("Join", "Nodes", "UserStateLen");

/** A ping with its type byte. */
export function encodePing({ seqNo, node, source }: Ping): Buffer {
  const out = new PackWriter(64 + node.length + source.node.length);
  out.byte(messageType.ping).map(2 + sourcePairs(source));
  out.text("Node").text(node).text("SeqNo").uint(seqNo);
  return withSource(out, source).written;
}

/** Reads from where `input` stands, behind the type byte. Throws {@link MalformedMessage}, as all of these do. */
export function decodePing(input: PackReader): Ping {
  const pairs = input.map();
  let seqNo = 0;
  let node = "";
  let address = empty;
  let port = 0;
  let from = "";
  for (let i = 0; i < pairs; i++) {
    const name = input.field(pingFields, i);
    if (name === "SeqNo") seqNo = input.u32();
    else if (name === "Node") node = input.text(wireLimits.name);
    else if (name === "SourceAddr") address = input.raw(16);
    else if (name === "SourcePort") port = input.uint(maxPort);
    else if (name === "SourceNode") from = input.text(wireLimits.name);
    else input.skip();
  }
  return { seqNo, node, source: { address, port, node: from } };
}

/** An indirect ping with its type byte. */
export function encodeIndirectPing({ seqNo, target, port, node, nack, source }: IndirectPing): Buffer {
  const out = new PackWriter(128 + node.length + source.node.length);
  out.byte(messageType.indirectPing).map(5 + sourcePairs(source));
  out.text("Nack").bool(nack).text("Node").text(node).text("Port").uint(port).text("SeqNo").uint(seqNo);
  return withSource(out, source).text("Target").bytes(target).written;
}

export function decodeIndirectPing(input: PackReader): IndirectPing {
  const pairs = input.map();
  const found = { seqNo: 0, target: empty, port: 0, node: "", nack: false };
  const source = { address: empty, port: 0, node: "" };
  for (let i = 0; i < pairs; i++) {
    const name = input.field(indirectFields, i);
    if (name === "SeqNo") found.seqNo = input.u32();
    else if (name === "Target") found.target = input.raw(16);
    else if (name === "Port") found.port = input.uint(maxPort);
    else if (name === "Node") found.node = input.text(wireLimits.name);
    else if (name === "Nack") found.nack = input.bool();
    else if (name === "SourceAddr") source.address = input.raw(16);
    else if (name === "SourcePort") source.port = input.uint(maxPort);
    else if (name === "SourceNode") source.node = input.text(wireLimits.name);
    else input.skip();
  }
  return { ...found, source };
}

/** An ack with its type byte. */
export function encodeAck({ seqNo, payload }: Ack): Buffer {
  const out = new PackWriter(32 + payload.length).byte(messageType.ack).map(2);
  return out.text("Payload").bytes(payload).text("SeqNo").uint(seqNo).written;
}

export function decodeAck(input: PackReader): Ack {
  const pairs = input.map();
  let seqNo = 0;
  let payload = empty;
  for (let i = 0; i < pairs; i++) {
    const name = input.field(ackFields, i);
    if (name === "SeqNo") seqNo = input.u32();
    else if (name === "Payload") payload = input.raw(wireLimits.ackPayload);
    else input.skip();
  }
  return { seqNo, payload };
}

/** A nack with its type byte. */
export function encodeNack(seqNo: number): Buffer {
  return new PackWriter(16).byte(messageType.nack).map(1).text("SeqNo").uint(seqNo).written;
}

/** The sequence number of a nack. */
export function decodeNack(input: PackReader): number {
  return decodeAck(input).seqNo;
}

/** A suspect or dead message with its type byte. */
export function encodeAccusation(kind: "suspect" | "dead", { incarnation, node, from }: Accusation): Buffer {
  const out = new PackWriter(48 + node.length + from.length).byte(messageType[kind]).map(3);
  return out.text("From").text(from).text("Incarnation").uint(incarnation).text("Node").text(node).written;
}

export function decodeAccusation(input: PackReader): Accusation {
  const pairs = input.map();
  let incarnation = 0;
  let node = "";
  let from = "";
  for (let i = 0; i < pairs; i++) {
    const name = input.field(accusationFields, i);
    if (name === "From") from = input.text(wireLimits.name);
    else if (name === "Incarnation") incarnation = input.u32();
    else if (name === "Node") node = input.text(wireLimits.name);
    else input.skip();
  }
  return { incarnation, node, from };
}

/** An alive message with its type byte. */
export function encodeAlive(alive: Alive): Buffer {
  const { incarnation, node, address, port, meta, versions } = alive;
  const out = new PackWriter(96 + node.length + meta.length).byte(messageType.alive).map(6);
  out.text("Addr").bytes(address).text("Incarnation").uint(incarnation).text("Meta").bytes(meta);
  return out.text("Node").text(node).text("Port").uint(port).text("Vsn").bytes(versions).written;
}

export function decodeAlive(input: PackReader): Alive {
  const pairs = input.map();
  let incarnation = 0;
  let node = "";
  let address = empty;
  let port = 0;
  let meta = empty;
  let versions = empty;
  for (let i = 0; i < pairs; i++) {
    const name = input.field(aliveFields, i);
    if (name === "Addr") address = input.raw(16);
    else if (name === "Incarnation") incarnation = input.u32();
    else if (name === "Meta") meta = input.raw(wireLimits.meta);
    else if (name === "Node") node = input.text(wireLimits.name);
    else if (name === "Port") port = input.uint(maxPort);
    else if (name === "Vsn") versions = input.raw(16);
    else input.skip();
  }
  return { incarnation, node, address, port, meta, versions };
}

/** Adds what a push/pull tells of one node. */
export function writePushNode(out: PackWriter, one: PushNode): void {
  out.map(7).text("Addr").bytes(one.address).text("Incarnation").uint(one.incarnation);
  out.text("Meta").bytes(one.meta).text("Name").text(one.node).text("Port").uint(one.port);
  out.text("State").uint(one.state).text("Vsn").bytes(one.versions);
}

/** Reads one node of a push/pull from where `input` stands. */
export function readPushNode(input: PackReader): PushNode {
  const pairs = input.map();
  let incarnation = 0;
  let node = "";
  let address = empty;
  let port = 0;
  let meta = empty;
  let versions = empty;
  let state = 0;
  for (let i = 0; i < pairs; i++) {
    const name = input.field(pushNodeFields, i);
    if (name === "Addr") address = input.raw(16);
    else if (name === "Incarnation") incarnation = input.u32();
    else if (name === "Meta") meta = input.raw(wireLimits.meta);
    else if (name === "Name") node = input.text(wireLimits.name);
    else if (name === "Port") port = input.uint(maxPort);
    else if (name === "State") state = input.uint(0xff);
    else if (name === "Vsn") versions = input.raw(16);
    else input.skip();
  }
  return { incarnation, node, address, port, meta, versions, state };
}

/** Adds the head of a push/pull, without the type byte. */
export function writePushPullHead(out: PackWriter, { nodes, userStateLength, join }: PushPullHead): void {
  out.map(3).text("Join").bool(join).text("Nodes").int(nodes).text("UserStateLen").int(userStateLength);
}

/** Reads the head of a push/pull; more nodes or more user state than is taken throws. */
export function readPushPullHead(input: PackReader): PushPullHead {
  const pairs = input.map();
  const head = { nodes: 0, userStateLength: 0, join: false };
  for (let i = 0; i < pairs; i++) {
    const name = input.field(headFields, i);
    if (name === "Join") head.join = input.bool();
    else if (name === "Nodes") head.nodes = input.uint(wireLimits.nodes);
    else if (name === "UserStateLen") head.userStateLength = input.uint(wireLimits.stream);
    else input.skip();
  }
  return head;
}

const userFields = fields("UserMsgLen");

/** A user message for a stream, with its type byte. */
export function encodeStreamUserMessage(message: Uint8Array): Buffer {
  const out = new PackWriter(32 + message.length).byte(messageType.user).map(1);
  return out.text("UserMsgLen").int(message.length).append(message).written;
}

/** The length of the user message that follows on a stream. */
export function readUserMessageHead(input: PackReader): number {
  const pairs = input.map();
  let length = 0;
  for (let i = 0; i < pairs; i++) {
    if (input.field(userFields, i) === "UserMsgLen") length = input.uint(wireLimits.userMessage);
    else input.skip();
  }
  return length;
}

const errorFields = fields("Error");

/** Tells over a stream why its request was refused, with the type byte. */
export function encodeError(error: string): Buffer {
  return new PackWriter(32 + error.length).byte(messageType.error).map(1).text("Error").text(error).written;
}

/** What {@link encodeError} told. */
export function readError(input: PackReader): string {
  const pairs = input.map();
  let error = "";
  for (let i = 0; i < pairs; i++) {
    if (input.field(errorFields, i) === "Error") error = input.text(1024);
    else input.skip();
  }
  return error;
}

function sourcePairs({ address, port, node }: PingSource): number {
  return Number(address.length > 0) + Number(port > 0) + Number(node !== "");
}

/** Absent when empty, as Go's `omitempty` has it. */
function withSource(out: PackWriter, { address, port, node }: PingSource): PackWriter {
  if (address.length > 0) out.text("SourceAddr").raw(address);
  if (node !== "") out.text("SourceNode").text(node);
  if (port > 0) out.text("SourcePort").uint(port);
  return out;
}
