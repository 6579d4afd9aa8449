import { attribute, attributes } from "../attributes.ts";
import { type NetlinkRequest, NLM_F_CREATE, NLM_F_EXCL } from "../message.ts";
import { type Codec, i32, padding, struct, text, u8, u32 } from "../wire.ts";
import { AF_UNSPEC } from "./rtm.ts";

/** Numbers of include/uapi/linux/rtnetlink.h and pkt_sched.h. */
const RTM_NEWQDISC = 36;
const TC_H_ROOT = 0xffffffff;

/** struct tcmsg of include/uapi/linux/rtnetlink.h. */
const tcmsg = struct({
  family: u8,
  pad1: padding(1),
  pad2: padding(2),
  link: i32,
  handle: u32,
  parent: u32,
  info: u32,
});

/** struct tc_netem_qopt of include/uapi/linux/pkt_sched.h. */
const netemHeader = struct({
  delay: u32,
  limit: u32,
  loss: u32,
  gap: padding(4),
  duplicate: padding(4),
  jitter: padding(4),
});

/** The kernel's tick is 64 ns (PSCHED_SHIFT of include/net/pkt_sched.h), told in /proc/net/psched. */
const ticksPerMs = 1_000_000 / 64;

/** What netem does to the packets that leave by a link. */
export interface Netem {
  /** How long each is kept, ms, up to 274 seconds; 0 if not said. */
  readonly delayMs?: number | undefined;
  /** The share that is lost, 0 to 1; 0 if not said. */
  readonly loss?: number | undefined;
  /** How many are kept at most; 1000 if not said, as tc(8) has it. */
  readonly limit?: number | undefined;
}

const netem: Codec<Netem> = {
  write(writer, { delayMs = 0, loss = 0, limit = 1000 }) {
    netemHeader.write(writer, {
      delay: Math.round(delayMs * ticksPerMs),
      limit,
      loss: Math.round(loss * 0xffffffff),
    });
  },
  read(bytes) {
    const { delay, loss, limit } = netemHeader.read(bytes);
    return { delayMs: delay / ticksPerMs, loss: loss / 0xffffffff, limit };
  },
};

/** TCA_* of include/uapi/linux/rtnetlink.h. */
const qdiscAttributes = attributes({ kind: attribute(1, text), netem: attribute(2, netem) });

/**
 * RTM_NEWQDISC that makes netem the root queue of a link, by the link's index. ENOENT on a kernel without
 * netem, EEXIST when the link has a root queue that somebody chose.
 */
export function addNetem(link: number, options: Netem = {}): NetlinkRequest {
  return {
    type: RTM_NEWQDISC,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    call: "RTM_NEWQDISC",
    object: `netem on link ${link}`,
    body(writer) {
      tcmsg.write(writer, { family: AF_UNSPEC, link, handle: 0, parent: TC_H_ROOT, info: 0 });
      qdiscAttributes.write(writer, { kind: "netem", netem: options });
    },
  };
}
