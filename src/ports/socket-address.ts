import { addressToBytes, type IpAddress, isIpv4 } from "../core/index.ts";
import * as sys from "../kernel/syscalls.ts";

/** Bytes of struct sockaddr_in6. */
export const socketAddressBytes = 28;

/** True for a struct sockaddr_in6 that stands for an IPv4 address, ::ffff:a.b.c.d (RFC 4291 §2.5.5.2). */
export function isMappedIpv4(bytes: Buffer): boolean {
  return (
    bytes.readUInt16LE(0) === sys.AF_INET6 &&
    bytes.readUInt32LE(8) === 0 &&
    bytes.readUInt32LE(12) === 0 &&
    bytes.readUInt32BE(16) === 0xffff
  );
}

/** struct sockaddr_in (16 bytes) or sockaddr_in6 (28 bytes), include/uapi/linux/{in,in6}.h. */
export function socketAddress(address: IpAddress, port: number): Buffer {
  const bytes = Buffer.alloc(isIpv4(address) ? 16 : socketAddressBytes);
  bytes.writeUInt16LE(isIpv4(address) ? sys.AF_INET : sys.AF_INET6, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(addressToBytes(address), isIpv4(address) ? 4 : 8);
  return bytes;
}
