import { attribute, attributeList, attributes, nested } from "../../attributes.ts";
import { bytes, type Codec, text } from "../../wire.ts";
import { required } from "../exact.ts";
import type { Hex } from "../hex.ts";
import { type Counter, counterCodec, type Limit, limitCodec } from "./accounting.ts";
import { bitwiseCodec, type Mask, type Shift } from "./bitwise.ts";
import { type ByteOrder, byteOrderCodec } from "./byteorder.ts";
import type { ExpressionCodec } from "./codec.ts";
import { type Compare, compareCodec, type Range, rangeCodec } from "./compare.ts";
import { type CtLoad, type CtSet, conntrackCodec } from "./conntrack.ts";
import { type DynamicSet, dynsetCodec } from "./dynset.ts";
import {
  type ExtensionHeaderLoad,
  type ExtensionHeaderSet,
  extensionHeaderCodec,
} from "./extension-header.ts";
import { type Fib, fibCodec } from "./fib.ts";
import { hashCodec, type JenkinsHash, type Numgen, numgenCodec, type SymmetricHash } from "./generators.ts";
import { type Decide, type Immediate, immediateCodec } from "./immediate.ts";
import { type Log, logCodec } from "./log.ts";
import { type Lookup, lookupCodec } from "./lookup.ts";
import { type MetaLoad, type MetaSet, metaCodec } from "./meta.ts";
import { type Masquerade, masqueradeCodec, type Nat, natCodec, type Redirect, redirectCodec } from "./nat.ts";
import { type PayloadLoad, type PayloadSet, payloadCodec } from "./payload.ts";
import { type Queue, queueCodec } from "./queue.ts";
import { type Reject, rejectCodec } from "./reject.ts";
import { type Route, routeCodec, type Xfrm, xfrmCodec } from "./routing.ts";
import { type Socket, socketCodec, type TransparentProxy, transparentProxyCodec } from "./sockets.ts";

/** One that this library does not know, or that has more to it than it knows: its attributes as they came. */
export interface UnknownExpression {
  readonly kind: "unknown";
  /** The kernel's name for it, `quota`. */
  readonly name: string;
  /** NFTA_EXPR_DATA; absent when it had none. */
  readonly bytes?: Hex;
}

/** One step of a rule. A rule's verdict is that of the last step if every step before lets it go on. */
export type Expression =
  | ByteOrder
  | Compare
  | Counter
  | CtLoad
  | CtSet
  | Decide
  | DynamicSet
  | ExtensionHeaderLoad
  | ExtensionHeaderSet
  | Fib
  | Immediate
  | JenkinsHash
  | Limit
  | Log
  | Lookup
  | Mask
  | Masquerade
  | MetaLoad
  | MetaSet
  | Nat
  | Numgen
  | PayloadLoad
  | PayloadSet
  | Queue
  | Range
  | Redirect
  | Reject
  | Route
  | Shift
  | Socket
  | SymmetricHash
  | TransparentProxy
  | UnknownExpression
  | Xfrm;

type KnownKind = Exclude<Expression["kind"], "unknown">;

/** Which codec writes a kind. A codec only ever gets expressions of the kinds that stand beside it here. */
const codecs = {
  byteorder: byteOrderCodec,
  cmp: compareCodec,
  counter: counterCodec,
  ct: conntrackCodec,
  "ct-set": conntrackCodec,
  dynset: dynsetCodec,
  exthdr: extensionHeaderCodec,
  "exthdr-set": extensionHeaderCodec,
  fib: fibCodec,
  immediate: immediateCodec,
  jhash: hashCodec,
  limit: limitCodec,
  log: logCodec,
  lookup: lookupCodec,
  mask: bitwiseCodec,
  masquerade: masqueradeCodec,
  meta: metaCodec,
  "meta-set": metaCodec,
  nat: natCodec,
  numgen: numgenCodec,
  payload: payloadCodec,
  "payload-set": payloadCodec,
  queue: queueCodec,
  range: rangeCodec,
  redirect: redirectCodec,
  reject: rejectCodec,
  rt: routeCodec,
  shift: bitwiseCodec,
  socket: socketCodec,
  symhash: hashCodec,
  tproxy: transparentProxyCodec,
  verdict: immediateCodec,
  xfrm: xfrmCodec,
} as const satisfies Readonly<Record<KnownKind, { readonly name: string }>>;

// Looking a codec up by an expression's own kind gives the codec of that kind; a union of functions
// cannot say that to the compiler.
type AnyCodec = ExpressionCodec<Expression>;
const byKind = codecs as unknown as Readonly<Record<KnownKind, AnyCodec>>;
const byName = new Map<string, AnyCodec>(Object.values(byKind).map((one) => [one.name, one]));

const layout = attributes({ name: attribute(1, text), data: nested(2, bytes) });

/** NFTA_EXPR_*. Reading never fails for what the kernel dumps: see {@link UnknownExpression}. */
export const expression: Codec<Expression> = {
  write(writer, value) {
    if (value.kind === "unknown") {
      const data = value.bytes === undefined ? undefined : Buffer.from(value.bytes, "hex");
      return layout.write(writer, { name: value.name, data });
    }
    const { name, codec } = byKind[value.kind];
    nestedLayout(codec).write(writer, { name, data: value });
  },
  read(buffer) {
    const wire = layout.read(buffer);
    const name = required(wire.name, "NFTA_EXPR_NAME");
    return known(name, wire.data) ?? unknown(name, wire.data);
  },
};

function nestedLayout<T>(codec: Codec<T>) {
  return attributes({ name: attribute(1, text), data: nested(2, codec) });
}

function known(name: string, data: Uint8Array | undefined): Expression | undefined {
  const codec = byName.get(name)?.codec;
  if (codec === undefined) return undefined;
  try {
    // An expression all of whose attributes are absent may come without data: masquerade, for one.
    return codec.read(Buffer.from(data ?? []));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function unknown(name: string, data: Uint8Array | undefined): UnknownExpression {
  if (data === undefined) return { kind: "unknown", name };
  return { kind: "unknown", name, bytes: Buffer.from(data).toString("hex") };
}

/** NFTA_RULE_EXPRESSIONS: a rule's steps in their order. */
export const expressionList: Codec<readonly Expression[]> = attributeList(1, expression, { nested: true });
