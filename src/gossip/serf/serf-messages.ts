import { fields, PackReader, PackWriter, wireLimits } from "../wire/index.ts";

/** The first byte of Serf's messages, which ride in memberlist's user messages (gossip.md B.10). */
export const serfType = {
  leave: 0,
  join: 1,
  pushPull: 2,
  userEvent: 3,
  query: 4,
  queryResponse: 5,
  conflictResponse: 6,
  keyRequest: 7,
  keyResponse: 8,
  relay: 9,
} as const;

/** Query flags: each hearer acknowledges; hearers do not pass it on. */
export const queryFlags = { ack: 1, noBroadcast: 2 } as const;

/** Times of Serf's logical clocks; they stay far below 2^53. */
const maxTime = Number.MAX_SAFE_INTEGER;
/** Serf's own cap of an event is 9 KiB. */
const maxPayload = 16 << 10;
const maxFilters = 64;
const maxEntries = 1 << 20;
const none: Uint8Array = new Uint8Array(0);

/** A node joins, or leaves: `prune` forgets it altogether. */
export interface Intent {
  readonly kind: "join" | "leave";
  readonly time: number;
  readonly node: string;
  readonly prune: boolean;
}

/** What a node tells in a push/pull. Events that lie behind are heard and not told. */
export interface SerfState {
  readonly time: number;
  /** By name, when each member's state was set. */
  readonly statusTimes: ReadonlyMap<string, number>;
  readonly left: readonly string[];
  readonly eventTime: number;
  readonly queryTime: number;
}

/** Something that a user of Serf tells all nodes. */
export interface UserEvent {
  readonly time: number;
  readonly name: string;
  readonly payload: Uint8Array;
}

/** A question to all nodes. */
export interface Query {
  readonly time: number;
  readonly id: number;
  /** Where answers go. */
  readonly address: Uint8Array;
  readonly port: number;
  readonly sourceNode: string;
  readonly filters: readonly Uint8Array[];
  readonly flags: number;
  readonly relayFactor: number;
  /** ms. */
  readonly timeout: number;
  readonly name: string;
  readonly payload: Uint8Array;
}

/** An answer, or with the flag `ack` that the question was heard. */
export interface QueryResponse {
  readonly time: number;
  readonly id: number;
  readonly from: string;
  readonly flags: number;
  readonly payload: Uint8Array;
}

/** What a node answers to a question about keys. */
export interface KeyResponse {
  readonly ok: boolean;
  readonly message: string;
  /** In base64. */
  readonly keys: readonly string[];
  readonly primary: string;
}

/** A message that somebody else shall hand on. */
export interface Relay {
  readonly address: Uint8Array;
  readonly port: number;
  readonly message: Uint8Array;
}

const intentFields = fields("LTime", "Node", "Prune");

/** An intent with its type byte. */
export function encodeIntent({ kind, time, node, prune }: Intent): Buffer {
  const out = new PackWriter(64 + node.length).byte(serfType[kind]).map(kind === "leave" ? 3 : 2);
  out.text("LTime").uint(time).text("Node").text(node);
  if (kind === "leave") out.text("Prune").bool(prune);
  return out.written;
}

/** Reads what follows the type byte. Throws {@link MalformedMessage}, as all of these do. */
export function decodeIntent(kind: Intent["kind"], input: PackReader): Intent {
  const found = { kind, time: 0, node: "", prune: false };
  each(input, intentFields, (name) => {
    if (name === "LTime") found.time = input.uint(maxTime);
    else if (name === "Node") found.node = input.text(wireLimits.name);
    else found.prune = input.bool();
  });
  return found;
}

const stateFields = fields("EventLTime", "Events", "LTime", "LeftMembers", "QueryLTime", "StatusLTimes");

/** A node's state with its type byte. */
export function encodeSerfState({ time, statusTimes, left, eventTime, queryTime }: SerfState): Buffer {
  const out = new PackWriter(256 + 32 * statusTimes.size).byte(serfType.pushPull).map(6);
  out.text("EventLTime").uint(eventTime).text("Events").nil().text("LTime").uint(time);
  out.text("LeftMembers").array(left.length);
  for (const name of left) out.text(name);
  out.text("QueryLTime").uint(queryTime).text("StatusLTimes").map(statusTimes.size);
  for (const [name, at] of statusTimes) out.text(name).uint(at);
  return out.written;
}

export function decodeSerfState(input: PackReader): SerfState {
  const statusTimes = new Map<string, number>();
  const left: string[] = [];
  const times = { time: 0, eventTime: 0, queryTime: 0 };
  each(input, stateFields, (name) => {
    if (name === "LTime") times.time = input.uint(maxTime);
    else if (name === "EventLTime") times.eventTime = input.uint(maxTime);
    else if (name === "QueryLTime") times.queryTime = input.uint(maxTime);
    else if (name === "Events") input.skip();
    else if (name === "LeftMembers")
      for (let i = Math.min(input.array(), maxEntries); i > 0; i--) left.push(input.text(wireLimits.name));
    else
      for (let i = Math.min(input.map(), maxEntries); i > 0; i--)
        statusTimes.set(input.text(wireLimits.name), input.uint(maxTime));
  });
  return { ...times, statusTimes, left };
}

const eventFields = fields("CC", "LTime", "Name", "Payload");

export function decodeUserEvent(input: PackReader): UserEvent {
  const found = { time: 0, name: "", payload: none };
  each(input, eventFields, (name) => {
    if (name === "LTime") found.time = input.uint(maxTime);
    else if (name === "Name") found.name = input.text(maxPayload);
    else if (name === "Payload") found.payload = input.raw(maxPayload);
    else input.skip();
  });
  return found;
}

const queryFields = fields(
  "Addr",
  "Filters",
  "Flags",
  "ID",
  "LTime",
  "Name",
  "Payload",
  "Port",
  "RelayFactor",
  "SourceNode",
  "Timeout",
);
const nsPerMs = 1_000_000;

/** A query with its type byte. */
export function encodeQuery(query: Query): Buffer {
  const { address, filters, flags, id, time, name, payload, port, relayFactor, sourceNode, timeout } = query;
  const out = new PackWriter(256 + payload.length).byte(serfType.query).map(11);
  out.text("Addr").bytes(address).text("Filters");
  if (filters.length === 0) out.nil();
  else out.array(filters.length);
  for (const filter of filters) out.bytes(filter);
  out.text("Flags").uint(flags).text("ID").uint(id).text("LTime").uint(time).text("Name").text(name);
  out.text("Payload").bytes(payload).text("Port").uint(port).text("RelayFactor").uint(relayFactor);
  return out
    .text("SourceNode")
    .text(sourceNode)
    .text("Timeout")
    .uint(timeout * nsPerMs).written;
}

export function decodeQuery(input: PackReader): Query {
  const found = {
    time: 0,
    id: 0,
    address: none,
    port: 0,
    sourceNode: "",
    flags: 0,
    relayFactor: 0,
    timeout: 0,
  };
  const text = { name: "", payload: none };
  const filters: Uint8Array[] = [];
  each(input, queryFields, (name) => {
    if (name === "LTime") found.time = input.uint(maxTime);
    else if (name === "ID") found.id = input.u32();
    else if (name === "Addr") found.address = input.raw(16);
    else if (name === "Port") found.port = input.uint(0xffff);
    else if (name === "SourceNode") found.sourceNode = input.text(wireLimits.name);
    else if (name === "Flags") found.flags = input.u32();
    else if (name === "RelayFactor") found.relayFactor = input.uint(0xff);
    else if (name === "Timeout") found.timeout = Math.floor(input.uint(maxTime) / nsPerMs);
    else if (name === "Name") text.name = input.text(maxPayload);
    else if (name === "Payload") text.payload = input.raw(maxPayload);
    else for (let i = Math.min(input.array(), maxFilters); i > 0; i--) filters.push(input.raw(maxPayload));
  });
  return { ...found, ...text, filters };
}

const responseFields = fields("Flags", "From", "ID", "LTime", "Payload");

/** An answer with its type byte. */
export function encodeQueryResponse({ time, id, from, flags, payload }: QueryResponse): Buffer {
  const out = new PackWriter(96 + payload.length).byte(serfType.queryResponse).map(5);
  out.text("Flags").uint(flags).text("From").text(from).text("ID").uint(id);
  return out.text("LTime").uint(time).text("Payload").bytes(payload).written;
}

export function decodeQueryResponse(input: PackReader): QueryResponse {
  const found = { time: 0, id: 0, from: "", flags: 0, payload: none };
  each(input, responseFields, (name) => {
    if (name === "LTime") found.time = input.uint(maxTime);
    else if (name === "ID") found.id = input.u32();
    else if (name === "From") found.from = input.text(wireLimits.name);
    else if (name === "Flags") found.flags = input.u32();
    else found.payload = input.raw(maxPayload);
  });
  return found;
}

const keyFields = fields("Key");

/** The payload of a question about a key, with its type byte. */
export function encodeKeyRequest(key: Uint8Array): Buffer {
  return new PackWriter(64).byte(serfType.keyRequest).map(1).text("Key").bytes(key).written;
}

/** The key of a payload, with its type byte; empty when the question is about none. */
export function decodeKeyRequest(payload: Uint8Array): Uint8Array {
  const input = new PackReader(payload, 1);
  let key = none;
  if (payload[0] !== serfType.keyRequest) return key;
  each(input, keyFields, () => {
    key = input.raw(64);
  });
  return key;
}

const keyResponseFields = fields("Keys", "Message", "PrimaryKey", "Result");

/** The payload of an answer about keys, with its type byte. */
export function encodeKeyResponse({ ok, message, keys, primary }: KeyResponse): Buffer {
  const out = new PackWriter(256).byte(serfType.keyResponse).map(4).text("Keys");
  if (keys.length === 0) out.nil();
  else out.array(keys.length);
  for (const key of keys) out.text(key);
  return out.text("Message").text(message).text("PrimaryKey").text(primary).text("Result").bool(ok).written;
}

/** Undefined when the payload is no answer about keys. */
export function decodeKeyResponse(payload: Uint8Array): KeyResponse | undefined {
  if (payload[0] !== serfType.keyResponse) return undefined;
  const input = new PackReader(payload, 1);
  const found = { ok: false, message: "", primary: "" };
  const keys: string[] = [];
  each(input, keyResponseFields, (name) => {
    if (name === "Result") found.ok = input.bool();
    else if (name === "Message") found.message = input.text(maxPayload);
    else if (name === "PrimaryKey") found.primary = input.text(64);
    else for (let i = Math.min(input.array(), 256); i > 0; i--) keys.push(input.text(64));
  });
  return { ...found, keys };
}

const relayFields = fields("DestAddr", "DestName");
const udpAddressFields = fields("IP", "Port", "Zone");

export function decodeRelay(input: PackReader): Relay {
  const found = { address: none, port: 0 };
  each(input, relayFields, (name) => {
    if (name === "DestName") input.skip();
    else
      each(input, udpAddressFields, (part) => {
        if (part === "IP") found.address = input.raw(16);
        else if (part === "Port") found.port = input.uint(0xffff);
        else input.skip();
      });
  });
  return { ...found, message: input.rest };
}

/** A request to hand `message` on, with its type byte. */
export function encodeRelay({ address, port, message }: Relay, node: string): Buffer {
  const out = new PackWriter(96 + message.length).byte(serfType.relay).map(2).text("DestAddr").map(3);
  out.text("IP").bytes(address).text("Port").int(port).text("Zone").text("");
  return out.text("DestName").text(node).append(message).written;
}

/** Reads a map: `take` reads the value of each known key, the others are passed over. */
function each<Name extends string>(
  input: PackReader,
  known: ReturnType<typeof fields<Name>>,
  take: (name: Name) => void,
): void {
  const pairs = input.map();
  for (let i = 0; i < pairs; i++) {
    const name = input.field(known, i);
    if (name === undefined) input.skip();
    else take(name);
  }
}
