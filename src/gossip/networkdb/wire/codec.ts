import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { messageOf, WeftError } from "../../../core/index.ts";
import type { Message } from "../messages.ts";
import {
  BulkSyncMessageSchema,
  CompoundMessageSchema,
  GossipMessageSchema,
  MessageType,
  NetworkEvent_Type,
  NetworkEventSchema,
  NetworkPushPullSchema,
  NodeEvent_Type,
  NodeEventSchema,
  TableEvent_Type,
  TableEventSchema,
} from "./networkdb_pb.ts";

const nodeChanges = { join: NodeEvent_Type.JOIN, leave: NodeEvent_Type.LEAVE } as const;
const networkChanges = { join: NetworkEvent_Type.JOIN, leave: NetworkEvent_Type.LEAVE } as const;
const tableChanges = {
  create: TableEvent_Type.CREATE,
  update: TableEvent_Type.UPDATE,
  delete: TableEvent_Type.DELETE,
} as const;

/** What a compound costs besides its parts, bytes: two wrappings with lengths of up to 21 bits. */
export const compoundOverhead = 8;
/** What each part of a compound costs besides its own bytes: two tags and two lengths of up to 14 bits. */
export const partOverhead = 6;

/** The bytes of a message. Times and seconds are whole numbers, 0 or more. */
export function encodeMessage(message: Message): Uint8Array {
  switch (message.kind) {
    case "node":
      return wrap(MessageType.NODE_EVENT, NodeEventSchema, {
        type: nodeChanges[message.change],
        lTime: BigInt(message.time),
        nodeName: message.node,
      });
    case "network":
      return wrap(MessageType.NETWORK_EVENT, NetworkEventSchema, {
        type: networkChanges[message.change],
        lTime: BigInt(message.time),
        nodeName: message.node,
        networkId: message.network,
      });
    case "table":
      return wrap(MessageType.TABLE_EVENT, TableEventSchema, {
        type: tableChanges[message.change],
        lTime: BigInt(message.time),
        nodeName: message.node,
        networkId: message.network,
        tableName: message.table,
        key: message.key,
        value: plain(message.value),
        residualReapTime: message.residualSeconds,
      });
    case "bulk-sync":
      return wrap(MessageType.BULK_SYNC, BulkSyncMessageSchema, {
        lTime: BigInt(message.time),
        unsolicited: message.unsolicited,
        nodeName: message.node,
        networks: [...message.networks],
        payload: plain(message.payload),
      });
    case "compound":
      return wrap(MessageType.COMPOUND, CompoundMessageSchema, {
        messages: message.parts.map((part) => ({ Payload: plain(part) })),
      });
    case "push-pull":
      return wrap(MessageType.PUSH_PULL, NetworkPushPullSchema, {
        lTime: BigInt(message.time),
        nodeName: message.node,
        networks: message.attachments.map(({ network, time, node, leaving }) => ({
          networkId: network,
          lTime: BigInt(time),
          nodeName: node,
          leaving,
        })),
      });
  }
}

/**
 * The message that these bytes are. Byte fields are views of `bytes`; a time of 2^53 or more loses its last
 * digits. Throws GOSSIP_MALFORMED when the bytes are no message of the protocol.
 */
export function decodeMessage(bytes: Uint8Array): Message {
  try {
    const { type, data } = read(GossipMessageSchema, bytes);
    const message = decodeBody(type, data);
    if (message !== undefined) return message;
    throw new WeftError("GOSSIP_MALFORMED", `a message of type ${type}, or of a change, that there is not`);
  } catch (cause) {
    if (cause instanceof WeftError) throw cause;
    throw new WeftError(
      "GOSSIP_MALFORMED",
      `${bytes.length} bytes that are no message: ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
}

function decodeBody(type: number, data: Uint8Array): Message | undefined {
  switch (type) {
    case MessageType.NODE_EVENT: {
      const event = read(NodeEventSchema, data);
      const change = joinOrLeave(event.type);
      return change && { kind: "node", change, time: Number(event.lTime), node: event.nodeName };
    }
    case MessageType.NETWORK_EVENT: {
      const event = read(NetworkEventSchema, data);
      const change = joinOrLeave(event.type);
      const { lTime, nodeName: node, networkId: network } = event;
      return change && { kind: "network", change, time: Number(lTime), node, network };
    }
    case MessageType.TABLE_EVENT:
      return decodeTableEvent(data);
    case MessageType.BULK_SYNC: {
      const { lTime, unsolicited, nodeName: node, networks, payload } = read(BulkSyncMessageSchema, data);
      return { kind: "bulk-sync", time: Number(lTime), unsolicited, node, networks, payload };
    }
    case MessageType.COMPOUND: {
      const { messages } = read(CompoundMessageSchema, data);
      return { kind: "compound", parts: messages.map(({ Payload }) => Payload) };
    }
    case MessageType.PUSH_PULL: {
      const { lTime, nodeName, networks } = read(NetworkPushPullSchema, data);
      const attachments = networks.map((entry) => ({
        network: entry.networkId,
        time: Number(entry.lTime),
        node: entry.nodeName,
        leaving: entry.leaving,
      }));
      return { kind: "push-pull", time: Number(lTime), node: nodeName, attachments };
    }
    default:
      return undefined;
  }
}

function decodeTableEvent(data: Uint8Array): Message | undefined {
  const event = read(TableEventSchema, data);
  const change = tableChange(event.type);
  if (change === undefined) return undefined;
  return {
    kind: "table",
    change,
    time: Number(event.lTime),
    node: event.nodeName,
    network: event.networkId,
    table: event.tableName,
    key: event.key,
    value: event.value,
    residualSeconds: event.residualReapTime,
  };
}

/** Node events and network events number their changes alike. */
function joinOrLeave(type: number): "join" | "leave" | undefined {
  if (type === NodeEvent_Type.JOIN) return "join";
  return type === NodeEvent_Type.LEAVE ? "leave" : undefined;
}

function tableChange(type: number): "create" | "update" | "delete" | undefined {
  if (type === TableEvent_Type.CREATE) return "create";
  if (type === TableEvent_Type.UPDATE) return "update";
  return type === TableEvent_Type.DELETE ? "delete" : undefined;
}

type ProtobufMessage = ReturnType<typeof create>;

function wrap<T extends ProtobufMessage>(
  type: MessageType,
  schema: GenMessage<T>,
  init: MessageInitShape<GenMessage<T>>,
): Uint8Array {
  return envelope(type, toBinary(schema, create(schema, init)));
}

/** Kept: a writer of its own for each of a table's hundred thousand events is most of what they cost. */
const writer = new BinaryWriter();

/** A GossipMessage, by the numbers of its two fields. Empty data is left out, as proto3 has it. */
function envelope(type: MessageType, data: Uint8Array): Uint8Array {
  writer.tag(1, WireType.Varint).int32(type);
  if (data.length > 0) writer.tag(2, WireType.LengthDelimited).bytes(data);
  return writer.finish();
}

/** Fields of later versions are passed over, and not kept. */
function read<T extends ProtobufMessage>(schema: GenMessage<T>, bytes: Uint8Array): T {
  return fromBinary(schema, bytes, { readUnknownFields: false });
}

/** The runtime's types ask for bytes that no other thread shares, as all of ours are. */
function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
