import type { RandomBelow } from "../../src/dns/index.ts";
import { opt, queryFor } from "./samples.ts";

const seeds: readonly Buffer[] = [
  queryFor("web"),
  queryFor("web.net", "AAAA"),
  queryFor("many", "A", opt(1232)),
  queryFor("1.0.0.10.in-addr.arpa", "PTR"),
  queryFor(`1.${"0.".repeat(27)}0.0.d.f.ip6.arpa`, "PTR", opt(4096)),
  queryFor("nobody.example.org", "TXT", opt(512)),
];

/** A query with up to eight bytes changed, and now and then cut, lengthened or spliced with another. */
export function mutated(random: RandomBelow): Buffer {
  const pick = () => seeds[random(seeds.length)] ?? Buffer.alloc(0);
  let message: Buffer = Buffer.from(pick());
  for (let changes = random(9); changes > 0 && message.length > 0; changes--) {
    const at = random(message.length);
    const flipped = (message[at] ?? 0) ^ (1 << random(8));
    message[at] = random(3) === 0 ? random(256) : flipped;
  }
  const shape = random(8);
  if (shape === 0) message = message.subarray(0, random(message.length + 1));
  if (shape === 1) message = Buffer.concat([message, pick().subarray(random(12))]);
  if (shape === 2) message = Buffer.concat([message, Buffer.alloc(random(300), random(256))]);
  return message;
}
