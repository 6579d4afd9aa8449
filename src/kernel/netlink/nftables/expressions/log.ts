import { attribute } from "../../attributes.ts";
import { text, u16be, u32be } from "../../wire.ts";
import { exactly } from "../exact.ts";
import { compact } from "../symbols.ts";
import { expressionCodec, unless } from "./codec.ts";

/** Writes the packet into the kernel's log, or (`group`) hands it to a listener. */
export interface Log {
  readonly kind: "log";
  readonly prefix?: string;
  /** LOGLEVEL_*: 4, a warning, when absent. */
  readonly level?: number;
  /** NF_LOG_*, which parts of the packet are written. */
  readonly flags?: number;
  readonly group?: number;
  /** Bytes of the packet for a listener. */
  readonly snaplen?: number;
  readonly queueThreshold?: number;
}

const LOGLEVEL_WARNING = 4;

/** NFTA_LOG_*. */
export const logCodec = expressionCodec(
  "log",
  exactly({
    group: attribute(1, u16be),
    prefix: attribute(2, text),
    snaplen: attribute(3, u32be),
    queueThreshold: attribute(4, u16be),
    level: attribute(5, u32be),
    flags: attribute(6, u32be),
  }),
  (e: Log) => e,
  (wire): Log => ({
    kind: "log",
    ...compact({
      prefix: wire.prefix,
      level: unless(wire.level, LOGLEVEL_WARNING),
      flags: unless(wire.flags, 0),
      group: wire.group,
      snaplen: unless(wire.snaplen, 0),
      queueThreshold: unless(wire.queueThreshold, 0),
    }),
  }),
);
