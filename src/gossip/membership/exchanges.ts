import { isWeftError, messageOf, WeftError } from "../../core/index.ts";
import { type Place, placeText, type Stream, type Transport } from "../transport/index.ts";
import {
  type Envelope,
  encodeAck,
  encodeError,
  encodePing,
  encodePushPull,
  encodeStreamUserMessage,
  type Ping,
  type PushNode,
  type PushPull,
  type StreamMessage,
  StreamReader,
  wrapStreamMessage,
} from "../wire/index.ts";
import type { NodeContext } from "./context.ts";
import type { Refusal } from "./counters.ts";
import { isGone, readAddress, stateNumber } from "./member-record.ts";
import type { Rumours } from "./rumours.ts";
import { verifyVersions } from "./versions.ts";

/** Streams from others that are served at a time (memberlist's limit of push/pulls). */
const maxServed = 128;

/** What exchanges work with. */
export interface ExchangesParts {
  readonly context: NodeContext;
  readonly transport: Transport;
  readonly envelope: Envelope;
  readonly rumours: Rumours;
}

/** Told once what came of an exchange: nothing, or why it failed. */
type Done = (failure?: WeftError) => void;

/** What is said over TCP: whole states, long user messages, and pings when UDP fails. One exchange a connection. */
export class Exchanges {
  readonly #parts: ExchangesParts;
  #served = 0;

  constructor(parts: ExchangesParts) {
    this.#parts = parts;
  }

  /** Exchanges whole states with the node at `to`. */
  pushPull(to: Place, join: boolean, done: Done): void {
    const { counters, profile } = this.#parts.context;
    const finish: Done = (failure) => {
      if (failure === undefined) counters.pushPulls++;
      else counters.failedPushPulls++;
      done(failure);
    };
    this.#ask(
      to,
      profile.tcpTimeout,
      () => this.#localState(join),
      finish,
      (answer) => {
        if (answer.kind === "error") throw unreachable(to, answer.error);
        if (answer.kind !== "pushPull") throw unreachable(to, `it answered with a ${answer.kind}`);
        this.#merge(answer.pushPull, placeText(to));
      },
    );
  }

  /** Asks by TCP whether `to` is there; `contacted` runs when it is. `timeout` in ms. */
  ping(to: Place, ping: Ping, timeout: number, contacted: () => void): void {
    const finish: Done = (failure) => {
      if (failure === undefined) contacted();
    };
    this.#ask(
      to,
      timeout,
      () => encodePing(ping),
      finish,
      (answer) => {
        if (answer.kind !== "ack" || answer.ack.seqNo !== ping.seqNo)
          throw unreachable(to, "it did not answer the ping");
      },
    );
  }

  /** Sends a user message. `done` runs when it was handed to the kernel. */
  user(to: Place, message: Uint8Array, done: Done): void {
    this.#ask(
      to,
      this.#parts.context.profile.tcpTimeout,
      () => encodeStreamUserMessage(message),
      done,
      undefined,
    );
  }

  /** Serves somebody who connected. */
  serve(stream: Stream): void {
    const { context, envelope } = this.#parts;
    context.counters.streamsAccepted++;
    if (this.#served >= maxServed) {
      this.#refuse("tooManyRequests", stream);
      stream.destroy();
      return;
    }
    this.#served++;
    let over = false;
    const finish = (close: () => void) => {
      if (over) return;
      over = true;
      this.#served--;
      cancel();
      close();
    };
    const cancel = context.timers.after(context.profile.tcpTimeout, () => finish(() => stream.destroy()));
    const reader = new StreamReader(envelope, true);
    stream.listen({
      closed: () => finish(() => stream.destroy()),
      data: (chunk) => {
        if (over) return;
        context.counters.bytesReceived += chunk.length;
        const progress = reader.push(chunk);
        if (progress.kind === "more") return;
        finish(() => {
          if (progress.kind === "message") this.#answer(stream, progress.message);
          else {
            this.#refuse(progress.why, stream, progress.detail);
            stream.destroy();
          }
        });
      },
    });
  }

  #answer(stream: Stream, message: StreamMessage): void {
    const { context, envelope } = this.#parts;
    const say = (bytes: Uint8Array) => this.#write(stream, wrapStreamMessage(envelope, bytes, false));
    switch (message.kind) {
      case "pushPull": {
        say(this.#localState(message.pushPull.join));
        stream.end();
        try {
          this.#merge(message.pushPull, placeText(stream.remote));
        } catch (error) {
          context.peerLog.warn("a push/pull was not merged", placeText(stream.remote), {
            error: messageOf(error),
          });
        }
        return;
      }
      case "ping":
        if (message.ping.node === "" || message.ping.node === context.self)
          say(encodeAck({ seqNo: message.ping.seqNo, payload: new Uint8Array(0) }));
        else {
          this.#refuse("wrongNode", stream, message.ping.node);
          say(encodeError(`this node is not ${message.ping.node}`));
        }
        stream.end();
        return;
      case "user":
        context.delegate.received(message.message);
        stream.end();
        return;
      default:
        this.#refuse("malformed", stream, `a ${message.kind} that nobody asked for`);
        stream.destroy();
    }
  }

  /** Connects, says what `request` gives, and hands the answer to `take`; without `take` none is waited for. */
  #ask(
    to: Place,
    timeout: number,
    request: () => Buffer,
    done: Done,
    take: ((answer: StreamMessage) => void) | undefined,
  ): void {
    const { context, transport, envelope } = this.#parts;
    let over = false;
    const finish = (failure?: WeftError) => {
      if (over) return;
      over = true;
      cancelTimer();
      if (failure !== undefined || take !== undefined) giveUp();
      done(failure);
    };
    const opened = (stream: Stream) => {
      if (over) return stream.destroy();
      const reader = new StreamReader(envelope, false);
      stream.listen({
        data: (chunk) => {
          if (!over && take !== undefined) this.#heard(reader, chunk, to, take, finish);
        },
        closed: () => finish(unreachable(to, "the connection was closed")),
      });
      this.#write(stream, wrapStreamMessage(envelope, request(), true));
      if (take !== undefined) return;
      stream.end();
      finish();
    };
    const cancelTimer = context.timers.after(timeout, () =>
      finish(unreachable(to, `nothing within ${timeout} ms`)),
    );
    const giveUp = transport.dial(to, { opened, failed: (why) => finish(unreachable(to, why)) });
  }

  #heard(
    reader: StreamReader,
    chunk: Uint8Array,
    to: Place,
    take: (answer: StreamMessage) => void,
    finish: (failure?: WeftError) => void,
  ): void {
    this.#parts.context.counters.bytesReceived += chunk.length;
    const progress = reader.push(chunk);
    if (progress.kind === "more") return;
    if (progress.kind === "refused") {
      this.#parts.context.counters.refused[progress.why]++;
      finish(unreachable(to, progress.detail));
      return;
    }
    try {
      take(progress.message);
    } catch (error) {
      finish(isWeftError(error) ? error : unreachable(to, messageOf(error)));
      return;
    }
    finish();
  }

  #write(stream: Stream, bytes: Buffer): void {
    this.#parts.context.counters.bytesSent += bytes.length;
    stream.write(bytes);
  }

  #localState(join: boolean): Buffer {
    const { table, delegate } = this.#parts.context;
    const nodes: PushNode[] = [];
    for (const { name, addressBytes, port, meta, incarnation, state, versions } of table.all())
      nodes.push({
        node: name,
        address: addressBytes,
        port,
        meta,
        incarnation,
        state: stateNumber(state),
        versions,
      });
    return encodePushPull({ join, nodes, userState: delegate.localState(join) });
  }

  /** Throws GOSSIP_PROTOCOL when the two sides must not mix. */
  #merge({ nodes, join, userState }: PushPull, from: string): void {
    const { context, rumours } = this.#parts;
    this.#verify(nodes);
    if (join) this.#askToMerge(nodes);
    rumours.merge(nodes, from);
    if (userState.length > 0) context.delegate.mergeState(userState, join);
  }

  #verify(nodes: readonly PushNode[]): void {
    const { table, counters } = this.#parts.context;
    const theirs = nodes
      .filter(({ state }) => state === 0)
      .map(({ node: name, versions }) => ({ name, versions }));
    const ours = [...table.all()].filter((one) => !isGone(one));
    try {
      verifyVersions([...theirs, ...ours]);
    } catch (error) {
      counters.refused.protocol++;
      throw error;
    }
  }

  #askToMerge(nodes: readonly PushNode[]): void {
    const { hooks, counters } = this.#parts.context;
    if (hooks.refuseMerge === undefined) return;
    const members = nodes.flatMap(({ node: name, address, port, meta, state }) => {
      const place = readAddress(address);
      return place === undefined || state > 1
        ? []
        : [{ name, address: place.address, port, meta, state: "alive" as const }];
    });
    const why = hooks.refuseMerge(members);
    if (why === undefined) return;
    counters.refused.rejected++;
    throw new WeftError("GOSSIP_PROTOCOL", `merge refused: ${why}`);
  }

  #refuse(why: Refusal, stream: Stream, detail = ""): void {
    const { counters, peerLog } = this.#parts.context;
    counters.refused[why]++;
    peerLog.warn("dropped a gossip stream", placeText(stream.remote), { why, detail });
  }
}

function unreachable(to: Place, why: string): WeftError {
  return new WeftError("GOSSIP_UNREACHABLE", `gossip with ${placeText(to)}: ${why}`);
}
