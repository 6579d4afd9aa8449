import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { addressToBytes, familyOf, type IpAddress, parseAddress } from "../../../src/core/index.ts";
import { Framer } from "../../../src/dns/framing.ts";
import { openUdpTo } from "../../../src/kernel/client-sockets.ts";
import * as sys from "../../../src/kernel/syscalls.ts";
import type { TestNetns } from "../../netns-fixture.ts";
import { framed } from "../clients.ts";
import { decodeResponse } from "../samples.ts";

/** What a server does with a query: its response, several of them, or silence. */
export type Answering = (query: Buffer, transport: "udp" | "tcp") => Buffer | readonly Buffer[] | undefined;

/** A name server in a test's namespace, over UDP and TCP, until it is closed. */
export class RealServer {
  /** What it was asked over, in order. */
  readonly asked: ("udp" | "tcp")[] = [];
  readonly #udp: Socket;
  readonly #tcp: Server;

  private constructor(udp: Socket, tcp: Server) {
    this.#udp = udp;
    this.#tcp = tcp;
  }

  /** Listens in `netns` on an address, which may be `::`, and port 53. */
  static async open(netns: TestNetns, text: string, answering: Answering): Promise<RealServer> {
    const address = parseAddress(text);
    const udp = createSocket(familyOf(address) === 4 ? "udp4" : "udp6");
    const tcp = createServer();
    const server = new RealServer(udp, tcp);
    udp.on("message", (query, from) => {
      server.asked.push("udp");
      for (const reply of repliesOf(answering(query, "udp"))) udp.send(reply, from.port, from.address);
    });
    tcp.on("connection", (socket) => {
      socket.on("error", () => {});
      const framer = new Framer(65_535);
      socket.on("data", (chunk) => {
        framer.push(chunk);
        const frame = framer.next();
        if (frame?.kind !== "message") return;
        server.asked.push("tcp");
        const replies = repliesOf(answering(Buffer.from(frame.message), "tcp"));
        if (replies.length > 0) socket.end(Buffer.concat(replies.map(framed)));
      });
    });
    udp.bind({ fd: bound(netns, address, sys.SOCK_DGRAM), exclusive: true });
    tcp.listen({ fd: bound(netns, address, sys.SOCK_STREAM), exclusive: true });
    await once(tcp, "listening");
    return server;
  }

  async close(): Promise<void> {
    const closed = [once(this.#udp, "close"), once(this.#tcp, "close")];
    this.#udp.close();
    this.#tcp.close();
    await Promise.all(closed);
  }
}

function repliesOf(answered: ReturnType<Answering>): readonly Buffer[] {
  if (answered === undefined) return [];
  return Buffer.isBuffer(answered) ? [answered] : answered;
}

/** A socket bound to port 53 of an address. */
function bound(netns: TestNetns, address: IpAddress, type: number): number {
  const four = familyOf(address) === 4;
  const bytes = Buffer.alloc(four ? 16 : 28);
  bytes.writeUInt16LE(four ? sys.AF_INET : sys.AF_INET6, 0);
  bytes.writeUInt16BE(53, 2);
  bytes.set(addressToBytes(address), four ? 4 : 8);
  const fd = netns.run(() => sys.socket(four ? sys.AF_INET : sys.AF_INET6, type | sys.SOCK_NONBLOCK, 0));
  sys.bind(fd, bytes, address);
  return fd;
}

/** Asks the resolver at 127.0.0.11 in `netns`, as a program there would, once. */
export async function askInside(netns: TestNetns, port: number, query: Uint8Array) {
  const fd = openUdpTo(netns.path, { address: parseAddress("127.0.0.11"), port });
  const socket = createSocket("udp4");
  socket.bind({ fd, exclusive: true });
  sys.send(fd, query, "send", "resolver");
  const [reply] = await once(socket, "message");
  socket.close();
  return decodeResponse(reply);
}
