import { NetlinkSocket } from "../../../src/kernel/netlink/socket.ts";
import { Writer } from "../../../src/kernel/netlink/wire.ts";
import * as sys from "../../../src/kernel/syscalls.ts";

/** A message that the scripted kernel answers with: a body of nothing, or of an errno for types 2 and 3. */
export interface ScriptedMessage {
  /** The first request on the socket has 1. */
  readonly sequence: number;
  readonly type: number;
  readonly flags?: number;
  readonly errno?: number;
}

/** A netlink socket whose other end is the test. */
export interface ScriptedKernel {
  readonly socket: NetlinkSocket;
  /** Lays ready one datagram, to be received in its turn. */
  answer(messages: readonly ScriptedMessage[]): void;
}

const answerTimeoutMs = 50;
let used = 0;

/** Runs `work` with a netlink socket that talks to nobody but the test. */
export async function withScriptedKernel(work: (kernel: ScriptedKernel) => void): Promise<void> {
  const name = `weft-test-${process.pid}-${used++}`;
  const near = boundDatagramSocket(`${name}-near`);
  const far = boundDatagramSocket(`${name}-far`);
  sys.connect(near, abstractAddress(`${name}-far`), name);
  sys.connect(far, abstractAddress(`${name}-near`), name);
  const socket = NetlinkSocket.adopt(near, answerTimeoutMs);
  try {
    work({ socket, answer: (messages) => void sys.send(far, datagram(messages), "answer", name) });
  } finally {
    socket.close();
    sys.close(far);
  }
}

function boundDatagramSocket(name: string): number {
  const fd = sys.socket(sys.AF_UNIX, sys.SOCK_DGRAM, 0);
  sys.bind(fd, abstractAddress(name), name);
  return fd;
}

function abstractAddress(name: string): Buffer {
  return Buffer.concat([Buffer.from([sys.AF_UNIX, 0, 0]), Buffer.from(name)]);
}

function datagram(messages: readonly ScriptedMessage[]): Buffer {
  const writer = new Writer();
  for (const { sequence, type, flags = 0, errno } of messages) {
    const body = type === 2 ? 20 : 4; // nlmsgerr holds the request's header
    writer.u32(16 + body);
    writer.u16(type);
    writer.u16(flags);
    writer.u32(sequence);
    writer.u32(0);
    writer.u32(-(errno ?? 0) >>> 0);
    writer.zeros(body - 4);
  }
  return Buffer.from(writer.finish());
}
