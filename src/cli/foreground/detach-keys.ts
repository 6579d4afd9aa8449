import { UsageError } from "../failures.ts";

/** Docker's, which its users know. */
const usualKeys = "ctrl-p,ctrl-q";

/** The bytes of `ctrl-p,ctrl-q` or `ctrl-a,d`: keys that end an attachment when they are typed one after the other. */
export function detachSequence(text: string = usualKeys): Uint8Array {
  const bytes = text.split(",").map((key) => {
    const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1];
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
    if (key.length === 1 && key.charCodeAt(0) < 0x80) return key.charCodeAt(0);
    throw new UsageError(
      `invalid --detach-keys ${JSON.stringify(text)}: it should be as ctrl-p,ctrl-q or ctrl-a,d`,
    );
  });
  return Uint8Array.from(bytes);
}

/** Looks for a sequence of keys in what is typed, however it is cut into chunks. */
export class DetachKeys {
  readonly #sequence: Uint8Array;
  /** How many keys of the sequence the last ones typed are: those are held back. */
  #matched = 0;

  constructor(sequence: Uint8Array) {
    this.#sequence = sequence;
  }

  /** What of `typed` is for the command; `detached` when the sequence was typed. */
  read(typed: Uint8Array): { readonly passed: Uint8Array; readonly detached: boolean } {
    const passed: number[] = [];
    for (const byte of typed) {
      const held = [...this.#sequence.subarray(0, this.#matched), byte];
      this.#matched = this.#longestMatch(held);
      passed.push(...held.slice(0, held.length - this.#matched));
      if (this.#matched === this.#sequence.length) return { passed: Uint8Array.from(passed), detached: true };
    }
    return { passed: Uint8Array.from(passed), detached: false };
  }

  /** The most of the last bytes of `held` that the sequence begins with. */
  #longestMatch(held: readonly number[]): number {
    for (let length = Math.min(held.length, this.#sequence.length); length > 0; length--) {
      const end = held.slice(held.length - length);
      if (end.every((byte, at) => byte === this.#sequence[at])) return length;
    }
    return 0;
  }
}
