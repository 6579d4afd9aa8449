import { addressToBytes, type Ipv4 } from "./address.ts";
import type { Random } from "./clock.ts";
import { WeftError } from "./errors.ts";

declare const macBrand: unique symbol;

/** An Ethernet (EUI-48) address in canonical text: lower case, colons, `02:42:0a:00:00:02`. */
export type MacAddress = string & { readonly [macBrand]: true };

const macText = /^[0-9a-f]{2}([:-])([0-9a-f]{2}\1){4}[0-9a-f]{2}$/i;

/** Reads an address with colons or hyphens. Throws INVALID_MAC, also for multicast and all-zero addresses. */
export function parseMac(text: string): MacAddress {
  const invalid = (why: string) =>
    new WeftError("INVALID_MAC", `invalid MAC address ${JSON.stringify(text)}: ${why}`);
  if (!macText.test(text)) throw invalid("it should be six hexadecimal bytes, xx:xx:xx:xx:xx:xx");
  const bytes = Buffer.from(text.replace(/[:-]/g, ""), "hex");
  if (((bytes[0] ?? 0) & 1) === 1) throw invalid("it is a multicast address");
  if (bytes.every((byte) => byte === 0)) throw invalid("it is all zero");
  return macFromBytes(bytes);
}

const hexOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** The canonical text of six bytes. Throws INVALID_MAC for another length. */
export function macFromBytes(bytes: Uint8Array): MacAddress {
  if (bytes.length !== 6) throw new WeftError("INVALID_MAC", `invalid MAC address of ${bytes.length} bytes`);
  let text = "";
  for (const byte of bytes) text += `${text === "" ? "" : ":"}${hexOf[byte]}`;
  return text as MacAddress;
}

/** The six bytes of an address. */
export function macToBytes(mac: MacAddress): Uint8Array {
  return Buffer.from(mac.replaceAll(":", ""), "hex");
}

/** A random unicast, locally administered address (IEEE 802, the second bit of the first byte set). */
export function randomMac(random: Random): MacAddress {
  const bytes = Uint8Array.from(random.bytes(6));
  bytes[0] = ((bytes[0] ?? 0) & 0xfe) | 0x02;
  return macFromBytes(bytes);
}

/** 02:42 and the four bytes of the address, as the reference's overlay driver makes them. */
export function macFromIpv4(address: Ipv4): MacAddress {
  return macFromBytes(Uint8Array.from([0x02, 0x42, ...addressToBytes(address)]));
}
