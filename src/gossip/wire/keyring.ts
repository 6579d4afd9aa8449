import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomFillSync,
} from "node:crypto";
import { WeftError } from "../../core/index.ts";

/** AES-GCM's parts around what is sealed: a version byte, the nonce, and the tag at the end (gossip.md B.5). */
const nonceBytes = 12;
const tagBytes = 16;
const headerBytes = 1 + nonceBytes;
const blockBytes = 16;

/** 1 has no padding; 0, which peers of protocol version 1 write, pads to AES' block as PKCS#7 has it. */
export type SealVersion = 0 | 1;

/** The most bytes that a seal of the version adds. */
export function sealOverhead(version: SealVersion): number {
  return headerBytes + tagBytes + (version === 0 ? blockBytes : 0);
}

type Cipher = "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm";

interface Key {
  readonly bytes: Buffer;
  readonly object: KeyObject;
  readonly cipher: Cipher;
}

/** Gives 12 bytes that were never given before; valid until the next call. */
export type NonceSource = () => Uint8Array;

/**
 * The keys of a cluster's gossip. The primary one seals; every one opens, so that no message is lost while a new
 * key is installed everywhere, then used, and the old one removed.
 */
export class Keyring {
  /** The primary key first. */
  #keys: readonly Key[];
  readonly #nonce: NonceSource;

  /** `keys` with the primary one first. Throws GOSSIP_KEY for one that is not 16, 24 or 32 bytes, or for none. */
  constructor(keys: readonly Uint8Array[], nonce: NonceSource = randomNonces()) {
    if (keys.length === 0) throw new WeftError("GOSSIP_KEY", "a keyring needs at least one key");
    this.#keys = [];
    this.#nonce = nonce;
    for (const key of keys) this.install(key);
  }

  /** Every key, the primary one first. */
  get keys(): readonly Uint8Array[] {
    return this.#keys.map(({ bytes }) => Uint8Array.from(bytes));
  }

  get primary(): Uint8Array {
    return Uint8Array.from(this.#primary().bytes);
  }

  /** Opens with `key` too, from now on; one that is there already stays. Throws GOSSIP_KEY for a bad length. */
  install(key: Uint8Array): void {
    const cipher = cipherOf(key);
    if (this.#find(key) !== undefined) return;
    const bytes = Buffer.from(key);
    this.#keys = [...this.#keys, { bytes, object: createSecretKey(bytes), cipher }];
  }

  /** Seals with `key` from now on. Throws GOSSIP_KEY when it is not installed. */
  use(key: Uint8Array): void {
    const found = this.#find(key);
    if (found === undefined)
      throw new WeftError("GOSSIP_KEY", "requested key is not in the keyring: install it first");
    this.#keys = [found, ...this.#keys.filter((one) => one !== found)];
  }

  /** Opens with `key` no more; nothing when it is not there. Throws GOSSIP_KEY for the primary one. */
  remove(key: Uint8Array): void {
    const found = this.#find(key);
    if (found === undefined) return;
    if (found === this.#primary())
      throw new WeftError("GOSSIP_KEY", "removing the primary key is not allowed: use another one first");
    this.#keys = this.#keys.filter((one) => one !== found);
  }

  /** Seals `plain` with the primary key, behind the bytes of `before`, which stay as they are; `bound` is sealed along. */
  seal(plain: Uint8Array, bound: Uint8Array, version: SealVersion, before: Uint8Array): Buffer {
    const { cipher: name, object } = this.#primary();
    const nonce = this.#nonce();
    const cipher = createCipheriv(name, object, nonce);
    if (bound.length > 0) cipher.setAAD(bound);
    const padding = version === 0 ? blockBytes - (plain.length % blockBytes) : 0;
    const sealed = Buffer.allocUnsafe(before.length + headerBytes + plain.length + padding + tagBytes);
    sealed.set(before, 0);
    let at = before.length;
    sealed[at++] = version;
    sealed.set(nonce, at);
    at += nonceBytes;
    const ciphered = cipher.update(plain);
    sealed.set(ciphered, at);
    at += ciphered.length;
    if (padding > 0) {
      const end = cipher.update(Buffer.alloc(padding, padding));
      sealed.set(end, at);
      at += end.length;
    }
    cipher.final();
    sealed.set(cipher.getAuthTag(), at);
    return sealed;
  }

  /** What {@link Keyring.seal} sealed, by any of the keys; undefined when none opens it. */
  open(sealed: Buffer, bound: Uint8Array): Buffer | undefined {
    const version = sealed[0];
    if (version === undefined || version > 1 || sealed.length < headerBytes + tagBytes) return undefined;
    for (const key of this.#keys) {
      const plain = openWith(key, sealed, bound);
      if (plain !== undefined) return version === 0 ? withoutPadding(plain) : plain;
    }
    return undefined;
  }

  #find(key: Uint8Array): Key | undefined {
    return this.#keys.find(({ bytes }) => bytes.equals(key));
  }

  #primary(): Key {
    const [primary] = this.#keys;
    if (primary === undefined) throw new WeftError("INTERNAL", "a keyring without a key");
    return primary;
  }
}

function openWith({ cipher, object }: Key, sealed: Buffer, bound: Uint8Array): Buffer | undefined {
  const decipher = createDecipheriv(cipher, object, sealed.subarray(1, headerBytes));
  if (bound.length > 0) decipher.setAAD(bound);
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const plain = decipher.update(sealed.subarray(headerBytes, sealed.length - tagBytes));
  try {
    decipher.final();
    return plain;
  } catch {
    return undefined; // sealed with another key, or changed on its way
  }
}

/**
 * The version byte is not sealed: somebody could change it on the way, to have the end of a message cut off. So all of
 * the padding has to be right, which that of few messages is by chance.
 */
function withoutPadding(plain: Buffer): Buffer | undefined {
  const padding = plain[plain.length - 1] ?? 0;
  if (padding === 0 || padding > blockBytes || plain.length % blockBytes !== 0) return undefined;
  const end = plain.length - padding;
  for (let at = end; at < plain.length; at++) if (plain[at] !== padding) return undefined;
  return plain.subarray(0, end);
}

function cipherOf(key: Uint8Array): Cipher {
  if (key.length === 16) return "aes-128-gcm";
  if (key.length === 24) return "aes-192-gcm";
  if (key.length === 32) return "aes-256-gcm";
  throw new WeftError("GOSSIP_KEY", `key of ${key.length} bytes: it should have 16, 24 or 32`);
}

/** Nonces from the machine's randomness, fetched many at a time: one call for each would cost more than the sealing. */
function randomNonces(): NonceSource {
  const pool = Buffer.alloc(256 * nonceBytes);
  let at = pool.length;
  return () => {
    if (at === pool.length) {
      randomFillSync(pool);
      at = 0;
    }
    at += nonceBytes;
    return pool.subarray(at - nonceBytes, at);
  };
}
