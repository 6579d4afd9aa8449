import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { Socket as TcpSocket } from "node:net";
import type { RecordType } from "dns-packet";
import { parseAddress } from "../../src/core/index.ts";
import { openTcpFor, openUdpTo, type Peer, sendDatagram } from "../../src/kernel/client-sockets.ts";
import type { TestNetns } from "../netns-fixture.ts";
import { framed, TcpClient } from "./clients.ts";
import { type DecodedResponse, dataOf, decodeResponse, queryFor } from "./samples.ts";

/** Where the resolver is in every sandbox of these tests. */
export const resolver: Peer = { address: parseAddress("127.0.0.11"), port: 61_053 };

/** How long an answer may take, ms; only a resolver that hangs takes it all. */
const patienceMs = 10_000;

/** A TCP client of the resolver, inside a namespace. */
export function openTcpIn(netns: TestNetns): Promise<TcpClient> {
  const fd = openTcpFor(netns.path, resolver);
  const options = { fd, readable: true, writable: true, pauseOnCreate: true }; // see src/dns/forward/linux-sockets.ts
  const socket = new TcpSocket(options);
  socket.connect({ host: resolver.address, port: resolver.port });
  const client = TcpClient.over(socket);
  socket.resume();
  return client;
}

/** A client of the resolver in a namespace, as well-behaved programs are: one question after the other, each answered. */
export class SandboxClient {
  readonly #netns: TestNetns;
  readonly #fd: number;
  readonly #socket: Socket;
  #lastId = 0;
  /** How many of its questions were answered. */
  answered = 0;

  constructor(netns: TestNetns) {
    this.#netns = netns;
    this.#fd = openUdpTo(netns.path, resolver);
    this.#socket = createSocket("udp4");
    this.#socket.bind({ fd: this.#fd, exclusive: true });
  }

  /** Asks once over UDP; rejects when no answer comes. */
  async ask(name: string, type: RecordType = "A"): Promise<DecodedResponse> {
    const id = ++this.#lastId & 0xffff;
    const answer = once(this.#socket, "message", { signal: AbortSignal.timeout(patienceMs) });
    sendDatagram(this.#fd, queryFor(name, type, { id })); // Node knows nothing of its being connected
    const [reply] = (await answer) as [Buffer]; // node's event
    const response = decodeResponse(reply);
    assert.equal(response.id, id);
    this.answered++;
    return response;
  }

  /** Asks once over a TCP connection of its own. */
  async askByTcp(name: string): Promise<DecodedResponse> {
    const client = await openTcpIn(this.#netns);
    const late = setTimeout(() => client.socket.destroy(), patienceMs);
    try {
      client.socket.write(framed(queryFor(name)));
      const [reply] = await client.take(1);
      this.answered++;
      return decodeResponse(reply);
    } finally {
      clearTimeout(late);
      await client.close();
    }
  }

  /** Asks for a name of the sandbox's network over both transports, and for one that is forwarded. */
  async askAround(forwarded: string, address: string): Promise<void> {
    assert.deepEqual(dataOf(await this.ask("web")), ["10.0.0.1"]);
    assert.deepEqual(dataOf(await this.askByTcp("web")), ["10.0.0.1"]);
    assert.deepEqual(dataOf(await this.ask(forwarded)), [address]);
  }

  close(): void {
    this.#socket.close();
  }
}
