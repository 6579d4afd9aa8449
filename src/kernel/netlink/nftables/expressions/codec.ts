import type { Codec } from "../../wire.ts";

/**
 * How one kind of expression stands in a rule: the name by which the kernel knows it, and its
 * attributes. One name may serve several kinds: "meta" loads and sets.
 */
export interface ExpressionCodec<E> {
  readonly name: string;
  readonly codec: Codec<E>;
}

/** Declares an expression from its attributes and the two ways between them and the model. */
export function expressionCodec<W, E>(
  name: string,
  layout: Codec<W>,
  toWire: (expression: E) => W,
  fromWire: (wire: W) => E,
): ExpressionCodec<E> {
  return {
    name,
    codec: {
      write: (writer, expression) => layout.write(writer, toWire(expression)),
      read: (bytes) => fromWire(layout.read(bytes)),
    },
  };
}

/** `value` unless it is the one that the kernel means when the attribute is absent. */
export function unless<T>(value: T | undefined, otherwise: T): T | undefined {
  return value === otherwise ? undefined : value;
}
