import * as sys from "../syscalls.ts";

/** include/uapi/linux/if_packet.h. */
export const AF_PACKET = 17;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_DROP_MEMBERSHIP = 2;
const PACKET_MR_MULTICAST = 0;

/** struct sockaddr_ll, for binding to a link and, if one is named, to frames of one EtherType. */
export function linkLayerAddress(index: number, etherType = 0): Buffer {
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(etherType, 2);
  address.writeInt32LE(index, 4);
  return address;
}

/** Lets the link hear frames to a multicast address; ends with the socket. Throws KernelError. */
export function joinMulticast(fd: number, index: number, mac: Uint8Array): void {
  sys.setsockoptBytes(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership(index, mac));
}

/** Takes {@link joinMulticast} back, of which there may have been several for one address. Throws KernelError. */
export function leaveMulticast(fd: number, index: number, mac: Uint8Array): void {
  sys.setsockoptBytes(fd, SOL_PACKET, PACKET_DROP_MEMBERSHIP, membership(index, mac));
}

/** struct packet_mreq. */
function membership(index: number, mac: Uint8Array): Buffer {
  const request = Buffer.alloc(16);
  request.writeInt32LE(index, 0);
  request.writeUInt16LE(PACKET_MR_MULTICAST, 4);
  request.writeUInt16LE(mac.length, 6);
  request.set(mac, 8);
  return request;
}
