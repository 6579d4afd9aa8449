import { WeftError } from "../../core/index.ts";
import { messageType } from "./message-type.ts";

/** A cluster's label, or nothing, as bytes: what its packets and streams begin with, and what their seal covers. */
export type Label = Buffer;

/** The label as bytes; empty text is no label. Throws INVALID_OPTION when it has more than 255. */
export function labelOf(text: string): Label {
  const label = Buffer.from(text);
  if (label.length > 255)
    throw new WeftError("INVALID_OPTION", `label of ${label.length} bytes: it should have at most 255`);
  return label;
}

/** How many bytes the label takes of each packet. */
export function labelOverhead(label: Label): number {
  return label.length === 0 ? 0 : 2 + label.length;
}

/** What stands before everything else; empty without a label. */
export function labelHeader(label: Label): Buffer {
  return label.length === 0 ? label : Buffer.concat([Buffer.of(messageType.hasLabel, label.length), label]);
}

const noLabel: Label = Buffer.alloc(0);

/** The label that `bytes` begin with, and what follows; undefined when its header is cut off or names none. */
export function splitLabel(bytes: Buffer): { readonly label: Label; readonly rest: Buffer } | undefined {
  if (bytes[0] !== messageType.hasLabel) return { label: noLabel, rest: bytes };
  const length = bytes[1] ?? 0;
  if (length === 0 || bytes.length < 2 + length) return undefined;
  return { label: bytes.subarray(2, 2 + length), rest: bytes.subarray(2 + length) };
}
