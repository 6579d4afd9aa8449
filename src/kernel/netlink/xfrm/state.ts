import { addressToBytes, familyOf, type IpAddress } from "../../../core/index.ts";
import { attribute, attributes } from "../attributes.ts";
import type { NetlinkRequest } from "../message.ts";
import { AF_INET, AF_INET6 } from "../rtnetlink/rtm.ts";
import {
  type Codec,
  type FixedCodec,
  padding,
  struct,
  u8,
  u16,
  u32,
  u32be,
  u64,
  type Writer,
} from "../wire.ts";

/** Message type, protocol and modes of include/uapi/linux/xfrm.h and in.h. */
const XFRM_MSG_NEWSA = 0x10;
const IPPROTO_ESP = 50;
const modes = { transport: 0, tunnel: 1 } as const;

/** xfrm_address_t: 16 bytes, of which an IPv4 address takes the first four. */
const xfrmAddress: FixedCodec<Uint8Array> = {
  size: 16,
  write(writer, value) {
    writer.bytes(value);
    writer.zeros(16 - value.length);
  },
  read: (bytes) => Buffer.from(bytes),
};

/** struct xfrm_lifetime_cfg: limits in bytes, packets and seconds. */
const lifetime = struct({
  softBytes: u64,
  hardBytes: u64,
  softPackets: u64,
  hardPackets: u64,
  seconds: padding(32),
});
/** XFRM_INF. */
const unlimited = 0xffff_ffff_ffff_ffffn;

/** struct xfrm_usersa_info. The selector is open: whom a state serves is for the policies to say. */
const stateHeader = struct({
  selector: padding(56),
  destination: xfrmAddress,
  spi: u32be,
  protocol: u8,
  pad1: padding(3),
  source: xfrmAddress,
  limits: lifetime,
  used: padding(32),
  statistics: padding(12),
  sequence: padding(4),
  reqid: u32,
  family: u16,
  mode: u8,
  replayWindow: u8,
  flags: u8,
  pad2: padding(7),
});

/** An algorithm that encrypts and authenticates at once. */
export interface Aead {
  /** The kernel's name of it, `rfc4106(gcm(aes))`. */
  readonly name: string;
  /** With the salt at its end, for GCM. */
  readonly key: Uint8Array;
  /** Bits. */
  readonly icvLength: number;
}

/** struct xfrm_algo_aead: a name in 64 bytes, the lengths of key and check value in bits, the key. */
const aead: Codec<Aead> = {
  write(writer: Writer, { name, key, icvLength }) {
    writer.bytes(Buffer.from(name));
    writer.zeros(64 - Buffer.byteLength(name));
    writer.u32(key.length * 8);
    writer.u32(icvLength);
    writer.bytes(key);
  },
  read(bytes) {
    const end = bytes.indexOf(0);
    const length = u32.read(bytes.subarray(64)) / 8;
    return {
      name: bytes.toString("latin1", 0, end),
      icvLength: u32.read(bytes.subarray(68)),
      key: Buffer.from(bytes.subarray(72, 72 + length)),
    };
  },
};

/** XFRMA_*. */
const stateAttributes = attributes({ aead: attribute(18, aead) });

/** One direction of an IPsec connection, by ESP (RFC 4303). */
export interface EspState {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** Tells the state apart from others of its destination. */
  readonly spi: number;
  /** Ties policies to their states. */
  readonly reqid: number;
  readonly mode: keyof typeof modes;
  readonly aead: Aead;
}

/** XFRM_MSG_NEWSA. EEXIST when there is one of that destination and SPI, EPROTONOSUPPORT on a kernel without ESP. */
export function addState({
  source,
  destination,
  spi,
  reqid,
  mode,
  aead: algorithm,
}: EspState): NetlinkRequest {
  const family = familyOf(destination) === 4 ? AF_INET : AF_INET6;
  return {
    type: XFRM_MSG_NEWSA,
    flags: 0,
    call: "XFRM_MSG_NEWSA",
    object: `state ${source} > ${destination} spi 0x${spi.toString(16)}`,
    body(writer) {
      const limits = {
        softBytes: unlimited,
        hardBytes: unlimited,
        softPackets: unlimited,
        hardPackets: unlimited,
      };
      stateHeader.write(writer, {
        destination: addressToBytes(destination),
        spi,
        protocol: IPPROTO_ESP,
        source: addressToBytes(source),
        limits,
        reqid,
        family,
        mode: modes[mode],
        replayWindow: 0,
        flags: 0,
      });
      stateAttributes.write(writer, { aead: algorithm });
    },
  };
}
