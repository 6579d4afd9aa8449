import { compress, readCompressed, unpack } from "./compression.ts";
import { labelHeader, splitLabel } from "./label.ts";
import { MalformedMessage, truncated } from "./malformed.ts";
import { messageType, wireLimits } from "./message-type.ts";
import {
  type Ack,
  decodeAck,
  decodePing,
  type Ping,
  type PushNode,
  type PushPullHead,
  readError,
  readPushNode,
  readPushPullHead,
  readUserMessageHead,
  writePushNode,
  writePushPullHead,
} from "./messages.ts";
import { PackReader } from "./pack-reader.ts";
import { PackWriter } from "./pack-writer.ts";
import { type Envelope, labelFits } from "./packet.ts";

/** One side of a push/pull: every node that it knows, and what the layer above has to tell. */
export interface PushPull {
  readonly join: boolean;
  readonly nodes: readonly PushNode[];
  readonly userState: Uint8Array;
}

/** What one side of a stream says. */
export type StreamMessage =
  | { readonly kind: "pushPull"; readonly pushPull: PushPull }
  | { readonly kind: "user"; readonly message: Uint8Array }
  | { readonly kind: "ping"; readonly ping: Ping }
  | { readonly kind: "ack"; readonly ack: Ack }
  | { readonly kind: "error"; readonly error: string };

const frameHeaderBytes = 5;

/** A push/pull with its type byte. */
export function encodePushPull({ join, nodes, userState }: PushPull): Buffer {
  const out = new PackWriter(256 + 128 * nodes.length + userState.length).byte(messageType.pushPull);
  writePushPullHead(out, { nodes: nodes.length, userStateLength: userState.length, join });
  for (const node of nodes) writePushNode(out, node);
  return out.append(userState).written;
}

/**
 * A message as it goes over a stream (gossip.md B.1). Only the first one of each side carries the label's header,
 * and the asking side alone: the one that answers is known by then.
 */
export function wrapStreamMessage(envelope: Envelope, message: Uint8Array, first: boolean): Buffer {
  const { keyring, verifyOutgoing, sealVersion, label } = envelope;
  const header = first ? labelHeader(label) : Buffer.alloc(0);
  const payload = envelope.compress ? compress(message) : message;
  if (keyring === undefined || !verifyOutgoing) return Buffer.concat([header, payload]);
  const frame = Buffer.allocUnsafe(frameHeaderBytes);
  frame[0] = messageType.encrypt;
  frame.writeUInt32BE(sealedLength(payload.length, sealVersion), 1);
  const sealed = keyring.seal(
    payload,
    Buffer.concat([frame, label]),
    sealVersion,
    Buffer.concat([header, frame]),
  );
  return sealed;
}

function sealedLength(plain: number, version: 0 | 1): number {
  return 1 + 12 + plain + (version === 0 ? 16 - (plain % 16) : 0) + 16;
}

/** What came of a stream so far. */
export type StreamProgress =
  | { readonly kind: "more" }
  | { readonly kind: "message"; readonly message: StreamMessage }
  | {
      readonly kind: "refused";
      readonly why: "label" | "undecryptable" | "malformed";
      readonly detail: string;
    };

const more: StreamProgress = { kind: "more" };

/**
 * Puts together the one message that a side of a stream says, from chunks cut anywhere. It holds at most what the
 * limits allow, and looks at each node of a push/pull twice at most however small the chunks are.
 */
export class StreamReader {
  readonly #envelope: Envelope;
  readonly #expectLabel: boolean;
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  /** Nothing is tried before so many bytes are here. */
  #wanted = 1;
  #labelDone = false;
  #push: PushProgress | undefined;

  /** `expectLabel` on the side that was connected to: who answers sends no label's header. */
  constructor(envelope: Envelope, expectLabel: boolean) {
    this.#envelope = envelope;
    this.#expectLabel = expectLabel;
  }

  /** Takes what came next; after anything but "more" the reader is of no more use. */
  push(chunk: Uint8Array): StreamProgress {
    if (this.#length + chunk.length > wireLimits.stream + wireLimits.userMessage)
      return { kind: "refused", why: "malformed", detail: `more than ${wireLimits.stream} bytes` };
    this.#keep(chunk);
    if (this.#length < this.#wanted) return more;
    try {
      return this.#read();
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      return { kind: "refused", why: "malformed", detail: error.message };
    }
  }

  #keep(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#bytes.length, 4096));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
  }

  #read(): StreamProgress {
    if (!this.#labelDone) {
      const refused = this.#takeLabel();
      if (refused !== undefined) return refused;
    }
    const bytes = this.#bytes.subarray(0, this.#length);
    const { keyring, verifyIncoming } = this.#envelope;
    if (bytes[0] === messageType.encrypt) return this.#sealedFrame(bytes);
    if (keyring !== undefined && verifyIncoming && bytes.length > 0)
      return {
        kind: "refused",
        why: "undecryptable",
        detail: "encryption is on but the stream is not encrypted",
      };
    return this.#plain(bytes);
  }

  /** Answers undefined when the label is right and gone, or absent as it should be. */
  #takeLabel(): StreamProgress | undefined {
    const bytes = this.#bytes.subarray(0, this.#length);
    if (this.#expectLabel) {
      if (bytes[0] === messageType.hasLabel && bytes.length < 2 + (bytes[1] ?? 255)) return more;
      const split = splitLabel(bytes);
      if (split === undefined || !labelFits(this.#envelope, split.label))
        return { kind: "refused", why: "label", detail: "the stream carries another label" };
      this.#bytes = split.rest;
      this.#length = split.rest.length;
    }
    this.#labelDone = true;
    return this.#length === 0 ? more : undefined;
  }

  #sealedFrame(bytes: Buffer): StreamProgress {
    const { keyring, label } = this.#envelope;
    if (keyring === undefined)
      return {
        kind: "refused",
        why: "undecryptable",
        detail: "the stream is encrypted and there is no keyring",
      };
    if (bytes.length < frameHeaderBytes) return more;
    const length = bytes.readUInt32BE(1);
    if (length > wireLimits.stream)
      return { kind: "refused", why: "malformed", detail: `an encrypted message of ${length} bytes` };
    this.#wanted = frameHeaderBytes + length;
    if (bytes.length < this.#wanted) return more;
    const bound = Buffer.concat([bytes.subarray(0, frameHeaderBytes), label]);
    const plain = keyring.open(bytes.subarray(frameHeaderBytes, this.#wanted), bound);
    if (plain === undefined)
      return { kind: "refused", why: "undecryptable", detail: "no key opens what the stream says" };
    return { kind: "message", message: readWhole(plain) };
  }

  /** Tries with what is here; what is truncated waits for more. */
  #plain(bytes: Buffer): StreamProgress {
    try {
      if (bytes[0] === messageType.pushPull) {
        this.#push ??= new PushProgress();
        const done = this.#push.read(bytes);
        return done === undefined ? more : { kind: "message", message: { kind: "pushPull", pushPull: done } };
      }
      return { kind: "message", message: readMessage(bytes) };
    } catch (error) {
      if (!(error instanceof MalformedMessage && error.truncated)) throw error;
      return this.#waitFor(error, bytes);
    }
  }

  /** A value that announces its length is waited for, or a stream of small chunks would be read again and again. */
  #waitFor(error: MalformedMessage, bytes: Buffer): StreamProgress {
    this.#wanted = bytes.length + error.missing;
    if (this.#wanted > wireLimits.stream + 1024)
      throw new MalformedMessage(`a stream's message of ${this.#wanted} bytes`);
    return more;
  }
}

/** A push/pull that is still coming: the nodes that are whole are read once. */
class PushProgress {
  #head: PushPullHead | undefined;
  readonly #nodes: PushNode[] = [];
  #at = 1;

  /** The push/pull when it is whole; undefined or "truncated" before. */
  read(bytes: Buffer): PushPull | undefined {
    const input = new PackReader(bytes, this.#at);
    if (this.#head === undefined) {
      this.#head = readPushPullHead(input);
      this.#at = input.at;
    }
    while (this.#nodes.length < this.#head.nodes) {
      this.#nodes.push(ownedNode(readPushNode(input)));
      this.#at = input.at;
    }
    const { userStateLength, join } = this.#head;
    const missing = userStateLength - (bytes.length - this.#at);
    if (missing > 0) throw truncated(missing);
    return { join, nodes: this.#nodes, userState: bytes.subarray(this.#at, this.#at + userStateLength) };
  }
}

/** The reader's memory may move while more of the stream comes. */
function ownedNode(node: PushNode): PushNode {
  return {
    ...node,
    meta: Uint8Array.from(node.meta), // the others are too short to be views
  };
}

/** A message of which nothing more will come. */
function readWhole(bytes: Buffer): StreamMessage {
  try {
    if (bytes[0] !== messageType.pushPull) return readMessage(bytes);
    const pushPull = new PushProgress().read(bytes);
    if (pushPull !== undefined) return { kind: "pushPull", pushPull };
  } catch (error) {
    if (!(error instanceof MalformedMessage && error.truncated)) throw error;
  }
  throw new MalformedMessage("gossip over a stream has no end");
}

/** `bytes` with their type byte. */
function readMessage(bytes: Buffer): StreamMessage {
  const input = new PackReader(bytes, 1);
  switch (bytes[0]) {
    case messageType.compress: {
      const inner = unpack(readCompressed(input), wireLimits.decompressed);
      if (inner[0] === messageType.compress) throw new MalformedMessage("gossip is compressed twice");
      return readWhole(inner);
    }
    case messageType.user: {
      const length = readUserMessageHead(input);
      const rest = input.rest;
      if (rest.length < length) throw truncated(length - rest.length);
      return { kind: "user", message: rest.subarray(0, length) };
    }
    case messageType.ping:
      return { kind: "ping", ping: decodePing(input) };
    case messageType.ack:
      return { kind: "ack", ack: decodeAck(input) };
    case messageType.error:
      return { kind: "error", error: readError(input) };
    default:
      throw new MalformedMessage(`gossip over a stream has the unknown type ${bytes[0]}`);
  }
}
