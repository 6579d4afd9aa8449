import { attribute, attributes } from "../attributes.ts";
import { splitHeader } from "../nfnetlink.ts";
import type { NetlinkSocket } from "../socket.ts";
import { type Codec, text, u32be } from "../wire.ts";
import { request } from "./protocol.ts";

/** The rule set of a namespace has a number that every transaction raises. */
export interface Generation {
  readonly id: number;
  /**
   * The thread that asked; of a change told to a monitor, the one that made it. The number is that of the
   * first PID namespace, whichever the reader is in.
   */
  readonly pid: number;
  /** That thread's name, at most 15 bytes: `nft`, `iptables`. */
  readonly process: string;
}

/** NFTA_GEN_*. */
export const generationAttributes = attributes({
  id: attribute(1, u32be),
  pid: attribute(2, u32be),
  process: attribute(3, text),
});

/** The generation that a message's attributes tell of. */
export function generationFromWire(wire: typeof generationAttributes extends Codec<infer T> ? T : never) {
  return { id: wire.id ?? 0, pid: wire.pid ?? 0, process: wire.process ?? "" } satisfies Generation;
}

/** The namespace's rule set as it is now, and who asks: the calling thread, as the kernel numbers it. Throws KernelError. */
export function askGeneration(socket: NetlinkSocket): Generation {
  const call = request({
    call: "NFT_MSG_GETGEN",
    object: "generation",
    codec: generationAttributes,
    value: {},
  });
  const read = socket.get(call, (message) => generationAttributes.read(splitHeader(message).attributes), []);
  return generationFromWire(read ?? {});
}

/** The number of the namespace's rule set as it is now. Throws KernelError. */
export function getGeneration(socket: NetlinkSocket): number {
  return askGeneration(socket).id;
}
