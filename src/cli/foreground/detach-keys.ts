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
  #matched = 0;

  constructor(sequence: Uint8Array) {
    this.#sequence = sequence;
  }

  /** What of `typed` is for the command; `detached` when the sequence was typed. The begin of one is held back. */
  read(typed: Uint8Array): { readonly passed: Uint8Array; readonly detached: boolean } {
    const passed: number[] = [];
    for (const byte of typed) {
      if (byte !== this.#sequence[this.#matched]) {
        passed.push(...this.#sequence.subarray(0, this.#matched));
        this.#matched = 0;
      }
      if (byte === this.#sequence[this.#matched]) this.#matched++;
      else passed.push(byte);
      if (this.#matched === this.#sequence.length) return { passed: Uint8Array.from(passed), detached: true };
    }
    return { passed: Uint8Array.from(passed), detached: false };
  }
}
