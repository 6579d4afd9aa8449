import { type MacAddress, macFromBytes, macToBytes } from "../../core/index.ts";
import { type Codec, type FixedCodec, u8, u16be, u32 } from "./wire.ts";

/** A u8 that is 0 or 1. */
export const bool8: FixedCodec<boolean> = {
  size: 1,
  write: (w, v) => w.u8(v ? 1 : 0),
  read: (b) => u8.read(b) !== 0,
};

/**
 * Numbers that have names. A number without one, as a newer kernel may send, is read as the number;
 * numbers may be written too.
 */
export function enumerated<const N extends Readonly<Record<string, number>>>(
  codec: FixedCodec<number>,
  numbers: N,
): FixedCodec<(keyof N & string) | number> {
  // Object.entries gives string keys only; the names are exactly those of N.
  const names = new Map(Object.entries(numbers).map(([name, n]) => [n, name as keyof N & string]));
  return {
    size: codec.size,
    write: (w, v) => codec.write(w, typeof v === "number" ? v : (numbers[v] ?? 0)),
    read: (b) => {
      const number = codec.read(b);
      return names.get(number) ?? number;
    },
  };
}

/** clock_t of the kernel's interface, hundredths of a second (USER_HZ), as ms. */
export const clockTicks: FixedCodec<number> = {
  size: 4,
  write: (w, v) => u32.write(w, Math.round(v / 10)),
  read: (b) => u32.read(b) * 10,
};

/** A link-layer address that is read as undefined when it is no Ethernet address, as a tunnel's is not. */
export const linkLayerAddress: Codec<MacAddress | undefined> = {
  write: (w, v) => {
    if (v !== undefined) w.bytes(macToBytes(v));
  },
  read: (b) => (b.length === 6 ? macFromBytes(b) : undefined),
};

/** The protocols of VLAN tags, ETH_P_8021Q and ETH_P_8021AD of include/uapi/linux/if_ether.h. */
export const vlanProtocol = enumerated(u16be, { "802.1Q": 0x8100, "802.1ad": 0x88a8 });
