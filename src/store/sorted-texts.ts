import type { TextReader } from "./overlay.ts";
import type { StoreKey } from "./store.ts";

/** A map from keys to texts that can be read in key order. */
export class SortedTexts implements TextReader {
  readonly #texts = new Map<StoreKey, string>();
  /** The keys of the map, sorted. */
  readonly #keys: StoreKey[] = [];

  get(key: StoreKey): string | undefined {
    return this.#texts.get(key);
  }

  *range(prefix: string): Generator<readonly [StoreKey, string]> {
    for (let i = this.#position(prefix); i < this.#keys.length; i++) {
      const key = this.#keys[i];
      if (key === undefined || !key.startsWith(prefix)) return;
      const text = this.#texts.get(key);
      if (text !== undefined) yield [key, text];
    }
  }

  /** Puts `text` at `key`, or deletes the key when it is undefined. */
  set(key: StoreKey, text: string | undefined): void {
    const known = this.#texts.has(key);
    if (text === undefined) {
      if (known) this.#keys.splice(this.#position(key), 1);
      this.#texts.delete(key);
    } else {
      if (!known) this.#keys.splice(this.#position(key), 0, key);
      this.#texts.set(key, text);
    }
  }

  /** Where `key` is, or belongs, among the sorted keys. */
  #position(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] ?? "") < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
