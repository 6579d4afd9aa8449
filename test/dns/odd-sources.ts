import { inNetnsAt } from "../../src/kernel/netns.ts";
import * as sys from "../../src/kernel/syscalls.ts";
import { until } from "../e2e/until.ts";
import type { TestNetns } from "../netns-fixture.ts";
import { queryFor } from "./samples.ts";
import { resolver } from "./sandbox-client.ts";

/** Asks the resolver of `netns` for `web` from another address of its loopback. */
export async function askFrom(netns: TestNetns, address: string): Promise<Buffer> {
  const fd = inNetnsAt(netns.path, () => sys.socket(sys.AF_INET, sys.SOCK_DGRAM | sys.SOCK_NONBLOCK, 0));
  try {
    sys.bind(fd, ipv4Sockaddr(address, 0), address);
    sys.connect(fd, ipv4Sockaddr(resolver.address, resolver.port), "resolver");
    sys.send(fd, queryFor("web"), "send", "resolver");
    const buffer = Buffer.alloc(512);
    let length: number | undefined;
    await until(`an answer to ${address}`, () => {
      length = sys.recvNow(fd, buffer, "answer");
      return length !== undefined;
    });
    return buffer.subarray(0, length);
  } finally {
    sys.close(fd);
  }
}

/** Sends datagrams to the resolver of `netns` that say to come from anywhere. */
export function forger(netns: TestNetns) {
  const IPPROTO_RAW = 255; // the headers are the sender's
  const fd = inNetnsAt(netns.path, () => sys.socket(sys.AF_INET, sys.SOCK_RAW, IPPROTO_RAW));
  sys.connect(fd, ipv4Sockaddr(resolver.address, 0), "resolver");
  const send = (source: string, port: number, payload: Uint8Array) => {
    const headers = Buffer.alloc(28); // IPv4 (RFC 791) and UDP (RFC 768) without checksum
    headers.set([0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17]);
    headers.writeUInt16BE(headers.length + payload.length, 2);
    headers.set(source.split(".").map(Number), 12);
    headers.set(resolver.address.split(".").map(Number), 16);
    headers.writeUInt16BE(port, 20);
    headers.writeUInt16BE(resolver.port, 22);
    headers.writeUInt16BE(8 + payload.length, 24);
    sys.send(fd, Buffer.concat([headers, payload]), "send", source);
  };
  return Object.assign(send, { close: () => sys.close(fd) });
}

/** struct sockaddr_in. */
function ipv4Sockaddr(address: string, port: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(sys.AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(address.split(".").map(Number), 4);
  return bytes;
}
