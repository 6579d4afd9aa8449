import type { Dice } from "../environment.ts";

/** Dice that fall the same for the same seed, a whole number (mulberry32, a public-domain generator). */
export function seededDice(seed: number): Dice {
  let state = seed | 0;
  const fraction = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { fraction, below: (limit) => Math.floor(fraction() * limit) };
}

/** Dice that nobody has to guess right or wrong: whom to ask is no secret. */
export const systemDice: Dice = {
  fraction: Math.random,
  below: (limit) => Math.floor(Math.random() * limit),
};
