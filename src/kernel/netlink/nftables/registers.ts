import { type Codec, u32be } from "../wire.ts";

/**
 * Where an expression reads or writes: "verdict", or a slot of 32 bits, 0 to 15. A value of more than
 * four bytes takes the slots that follow too: an IPv6 address or an interface name takes four.
 */
export type Register = "verdict" | number;

/** How many slots there are. */
export const slotCount = 16;

/** Slots that `bytes` bytes take. */
export function slotsOf(bytes: number): number {
  return Math.ceil(bytes / 4);
}

const NFT_REG_VERDICT = 0;
const NFT_REG_1 = 1;
const NFT_REG_4 = 4;
const NFT_REG32_00 = 8;

/**
 * NFT_REG_1 to NFT_REG_4 are the slots 0, 4, 8 and 12 by an older name. The kernel takes either name and
 * dumps the older one, so that is what is written.
 */
export const register: Codec<Register> = {
  write(writer, value) {
    if (value === "verdict") u32be.write(writer, NFT_REG_VERDICT);
    else if (value % 4 === 0) u32be.write(writer, NFT_REG_1 + value / 4);
    else u32be.write(writer, NFT_REG32_00 + value);
  },
  read(bytes) {
    const number = u32be.read(bytes);
    if (number === NFT_REG_VERDICT) return "verdict";
    if (number <= NFT_REG_4) return (number - NFT_REG_1) * 4;
    if (number < NFT_REG32_00 || number >= NFT_REG32_00 + slotCount)
      throw new RangeError(`no register ${number}`);
    return number - NFT_REG32_00;
  },
};
