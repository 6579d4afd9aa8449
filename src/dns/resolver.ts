import { encodeName, type NameKey } from "./name.ts";
import type { NameView } from "./name-view.ts";
import { type Rcode, rcode, recordType } from "./protocol.ts";
import type { Question } from "./query.ts";
import { addressOfReverseName, isPrivateReverseName } from "./reverse-name.ts";

/**
 * Seconds for which a client may keep an answer. Short, for a container that is started anew may
 * have another address at once: the reference says 600, and its users talk to dead addresses for as
 * long as their library believes it.
 */
export const ttlSeconds = 5;

/** Gives a random integer from 0 up to, but not including, `bound`. */
export type RandomBelow = (bound: number) => number;

/** The parts of a response: its code and its records, all under the question's name and of its type. */
export interface Answer {
  readonly kind: "answer";
  readonly rcode: Rcode;
  /** AA: whether this server is the one that knows. */
  readonly authoritative: boolean;
  /** The data of each record; its type is the question's, its TTL {@link ttlSeconds}. */
  readonly records: readonly Uint8Array[];
}

/** An answer, or that the name is nobody's in the view and others may know it. */
export type Resolution = Answer | { readonly kind: "unknown" };

const unknown: Resolution = { kind: "unknown" };
/** No records: a name that exists, but not with that type. No SOA, so that nobody caches it (RFC 2308 §2.2). */
export const noData: Answer = { kind: "answer", rcode: rcode.NOERROR, authoritative: true, records: [] };
const noSuchName: Answer = { kind: "answer", rcode: rcode.NXDOMAIN, authoritative: true, records: [] };
const cannotSay: Answer = { kind: "answer", rcode: rcode.SERVFAIL, authoritative: false, records: [] };

/**
 * Answers a question from a view: A and AAAA in random order, PTR with one name, and nothing at all
 * for other types of a known name, for a family it has no address of, and for SRV below a known name.
 */
export function resolve(question: Question, view: NameView, random: RandomBelow): Resolution {
  const { name, type } = question;
  const family = type === recordType.AAAA ? 6 : 4;
  const addresses = view.addresses(name, family);
  if (addresses !== undefined) return addressAnswer(addresses, type, random);
  if (name.endsWith(".arpa")) return resolvePointer(name, type, view);
  return type === recordType.SRV && isServiceOfKnownName(name, view) ? noData : unknown;
}

/** `_port._proto.name` (RFC 2782), and the same without underscores, as LN §6 has it. */
const serviceName = /^[^.]+\._?(?:tcp|udp|sctp)\.(.+)$/s;

/**
 * True for a service of a name that is ours: nobody else knows of one. Services themselves have no
 * records, for no port of an endpoint is published by name.
 */
function isServiceOfKnownName(name: NameKey, view: NameView): boolean {
  const owner = serviceName.exec(name)?.[1];
  return owner !== undefined && view.addresses(owner, 4) !== undefined;
}

/** True for a question for addresses of a name without a dot, which is not the root. */
export function asksForBareName({ name, type }: Question): boolean {
  return (type === recordType.A || type === recordType.AAAA) && name !== "" && !name.includes(".");
}

/**
 * Decides about an unknown name when there is nobody to ask: it does not exist when only this server
 * could know it (no dot, under a network's name, reverse of a private address); else SERVFAIL. The
 * root, which exists whoever is asked, is no name without a dot.
 */
export function resolveUnknown(name: NameKey, view: NameView): Answer {
  const ours = (name !== "" && !name.includes(".")) || view.underNetwork(name) || isPrivateReverseName(name);
  return ours ? noSuchName : cannotSay;
}

function addressAnswer(addresses: readonly Uint8Array[], type: number, random: RandomBelow): Answer {
  const wanted = type === recordType.A || type === recordType.AAAA;
  return wanted && addresses.length > 0 ? positive(shuffled(addresses, random)) : noData;
}

function resolvePointer(name: NameKey, type: number, view: NameView): Resolution {
  const address = addressOfReverseName(name);
  const pointers = address === undefined ? [] : view.pointers(address);
  if (pointers.length === 0) return unknown;
  if (type !== recordType.PTR) return noData;
  for (const pointer of pointers) {
    // A name may be too long with its network's behind it; then the next, shorter one does.
    const data = encodeName(pointer);
    if (data !== undefined) return positive([data]);
  }
  return noData;
}

function positive(records: readonly Uint8Array[]): Answer {
  return { kind: "answer", rcode: rcode.NOERROR, authoritative: true, records };
}

/** The same values in an order in which each is as likely as the others (Fisher and Yates). */
function shuffled<T>(values: readonly T[], random: RandomBelow): readonly T[] {
  if (values.length < 2) return values;
  const result = [...values];
  for (let i = result.length - 1; i > 0; i--) {
    const j = random(i + 1);
    const [a, b] = [result[i], result[j]];
    if (a === undefined || b === undefined) break; // never: both indices are in range
    result[i] = b;
    result[j] = a;
  }
  return result;
}
