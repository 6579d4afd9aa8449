import { attribute } from "../attributes.ts";
import { type Codec, text, u32be } from "../wire.ts";
import { exactly, required } from "./exact.ts";

/** What becomes of the packet, or where its judgement goes on. */
export type Verdict =
  | { readonly verdict: "accept" | "drop" | "continue" | "break" | "return" }
  | { readonly verdict: "jump" | "goto"; readonly chain: string }
  /** Hand to user space. `queue` is the number of the queue. */
  | { readonly verdict: "queue"; readonly queue: number };

/** include/uapi/linux/netfilter.h and enum nft_verdicts. */
const plain = { drop: 0, accept: 1, continue: -1, break: -2, return: -5 } as const;
const toChain = { jump: -3, goto: -4 } as const;
const NF_QUEUE = 3;
const NF_VERDICT_QBITS = 16;

const layout = exactly({ code: attribute(1, u32be), chain: attribute(2, text) });

/** NFTA_VERDICT_*. Reading throws RangeError for a verdict that has no name here. */
export const verdictCodec: Codec<Verdict> = {
  write(writer, value) {
    switch (value.verdict) {
      case "jump":
      case "goto":
        return layout.write(writer, { code: toChain[value.verdict] >>> 0, chain: value.chain });
      case "queue":
        return layout.write(writer, { code: ((value.queue << NF_VERDICT_QBITS) | NF_QUEUE) >>> 0 });
      default:
        return layout.write(writer, { code: plain[value.verdict] >>> 0 });
    }
  },
  read(bytes) {
    const { code: unsigned, chain } = layout.read(bytes);
    const code = required(unsigned, "NFTA_VERDICT_CODE") | 0;
    for (const verdict of ["jump", "goto"] as const)
      if (toChain[verdict] === code) return { verdict, chain: required(chain, "NFTA_VERDICT_CHAIN") };
    for (const verdict of ["accept", "drop", "continue", "break", "return"] as const)
      if (plain[verdict] === code) return { verdict };
    if (code > 0 && (code & 0xff) === NF_QUEUE) return { verdict: "queue", queue: code >>> NF_VERDICT_QBITS };
    throw new RangeError(`no verdict ${code}`);
  },
};
