import { recordType } from "../protocol.ts";

/** First and last of the types that are no records of a name but ask for a transfer or a transaction (RFC 6895 §3.1). */
const firstTransaction = 249;
const lastTransaction = 252;

/**
 * True for types that a forwarder has no use for: OPT, TKEY, TSIG and transfers of zones, whose answers
 * are more than one message.
 */
export function isRefusedType(type: number): boolean {
  return type === recordType.OPT || (type >= firstTransaction && type <= lastTransaction);
}
