import { addressToBytes, type IpAddress, isIpv4 } from "../core/index.ts";
import * as sys from "../kernel/syscalls.ts";

/** struct sockaddr_in (16 bytes) or sockaddr_in6 (28 bytes), include/uapi/linux/{in,in6}.h. */
export function socketAddress(address: IpAddress, port: number): Buffer {
  const bytes = Buffer.alloc(isIpv4(address) ? 16 : 28);
  bytes.writeUInt16LE(isIpv4(address) ? sys.AF_INET : sys.AF_INET6, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(addressToBytes(address), isIpv4(address) ? 4 : 8);
  return bytes;
}
