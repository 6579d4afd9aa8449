import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket as TcpSocket } from "node:net";
import { Framer } from "../../src/dns/framing.ts";

/** A UDP client that resends what is not answered, as stub resolvers do. */
export class UdpClient {
  readonly #socket: Socket;
  readonly #port: number;
  readonly #waiting: ((reply: Buffer) => void)[] = [];

  constructor(port: number) {
    this.#port = port;
    this.#socket = createSocket("udp4");
    this.#socket.on("message", (reply) => this.#waiting.shift()?.(reply));
  }

  /** Sends without waiting for an answer; resolves when it has left. */
  send(message: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#socket.send(message, this.#port, "127.0.0.1", (error) =>
        error === null ? resolve() : reject(error),
      ),
    );
  }

  /** The next answer to come after `message` was sent. */
  async ask(message: Uint8Array): Promise<Buffer> {
    const reply = new Promise<Buffer>((resolve) => this.#waiting.push(resolve));
    await this.send(message);
    return reply;
  }

  /** Sends `message` again and again until an answer begins with its id. */
  async askThroughNoise(message: Buffer): Promise<Buffer> {
    const reply = new Promise<Buffer>((resolve) => {
      this.#socket.on("message", (got) => {
        if (got.length >= 2 && got.readUInt16BE(0) === message.readUInt16BE(0)) resolve(got);
      });
    });
    const again = setInterval(() => void this.send(message), 100);
    await this.send(message);
    try {
      return await reply;
    } finally {
      clearInterval(again);
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, "close");
    this.#socket.close();
    await closed;
  }
}

/** A message behind its length, as TCP carries it. */
export function framed(message: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(message.length >> 8, message.length & 0xff), message]);
}

/** A TCP client: what it sends is up to its user, what it gets comes out message by message. */
export class TcpClient {
  readonly socket: TcpSocket;
  /** Resolves when the connection is gone, however it ended. */
  readonly closed: Promise<void>;
  readonly #framer = new Framer(65_535);
  readonly #replies: Uint8Array[] = [];
  #notify: () => void = () => {};

  private constructor(socket: TcpSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => {}); // a reset is one way of being closed
    socket.on("close", () => this.#notify());
    socket.on("data", (chunk: Buffer) => {
      this.#framer.push(chunk);
      for (let frame = this.#framer.next(); frame?.kind === "message"; frame = this.#framer.next()) {
        this.#replies.push(frame.message);
      }
      this.#notify();
    });
  }

  static open(port: number, allowHalfOpen = false): Promise<TcpClient> {
    return TcpClient.over(connect({ port, host: "127.0.0.1", allowHalfOpen }));
  }

  /** A client on a socket that is being connected. */
  static async over(socket: TcpSocket): Promise<TcpClient> {
    const client = new TcpClient(socket);
    await once(socket, "connect");
    return client;
  }

  /** The first `count` answers that have not been taken yet. Rejects when the connection ends before. */
  async take(count: number): Promise<readonly Uint8Array[]> {
    while (this.#replies.length < count) {
      if (this.socket.destroyed) throw new Error(`closed after ${this.#replies.length} of ${count} answers`);
      await new Promise<void>((resolve) => {
        this.#notify = resolve;
      });
    }
    return this.#replies.splice(0, count);
  }

  async close(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }
}
