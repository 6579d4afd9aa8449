import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { maxBitmapSize, SparseBitmap } from "../../../src/ipam/builtin/sparse-bitmap.ts";

/** What a bitmap does, as slowly and plainly as can be. */
class Model {
  readonly #members = new Set<number>();
  readonly size: number;

  constructor(size: number) {
    this.size = size;
  }

  add(index: number): boolean {
    const before = this.#members.size;
    return this.#members.add(index).size > before;
  }

  delete(index: number): boolean {
    return this.#members.delete(index);
  }

  nextFree(from: number): number {
    let index = from;
    while (this.#members.has(index)) index++;
    return index < this.size ? index : -1;
  }

  count(first: number, last: number): number {
    return [...this.#members].filter((index) => index >= first && index <= last).length;
  }
}

type Operation =
  | { readonly kind: "add" | "delete" | "next"; readonly at: number }
  | { readonly kind: "fill" | "empty" | "count"; readonly at: number; readonly length: number };

/** Numbers near the ends, near the edges of chunks, and anywhere. */
function index(size: number): fc.Arbitrary<number> {
  const edges = [0, 1, 31, 32, 8191, 8192, 8193, 2 ** 26 - 1, 2 ** 26, size - 1, size - 2];
  return fc.oneof(
    fc.constantFrom(...edges.filter((edge) => edge >= 0 && edge < size)),
    fc.nat(Math.min(size, 40) - 1),
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }).map((share) => Math.floor(share * size)),
  );
}

function operations(size: number): fc.Arbitrary<readonly Operation[]> {
  const at = index(size);
  const length = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(8191, 8192, 16_384));
  const one = fc.record({ kind: fc.constantFrom("add", "delete", "next"), at });
  const many = fc.record({ kind: fc.constantFrom("fill", "empty", "count"), at, length });
  return fc.array(fc.oneof({ arbitrary: one, weight: 3 }, { arbitrary: many, weight: 1 }), { maxLength: 60 });
}

function run(operation: Operation, target: Model | SparseBitmap, size: number): readonly unknown[] {
  const { kind, at } = operation;
  if (!("length" in operation)) {
    if (kind === "add") return [target.add(at)];
    return [kind === "delete" ? target.delete(at) : target.nextFree(at)];
  }
  const end = Math.min(at + operation.length, size);
  if (kind === "count") return [target.count(at, end - 1)];
  const answers: boolean[] = [];
  for (let i = at; i < end; i++) answers.push(kind === "fill" ? target.add(i) : target.delete(i));
  return answers;
}

describe("SparseBitmap", () => {
  for (const size of [1, 2, 4, 16, 32, 64, 256, 8192, 16_384, 65_536, 2 ** 27, maxBitmapSize]) {
    it(`of ${size} does what a plain set does`, () => {
      fc.assert(
        fc.property(operations(size), (list) => {
          const bitmap = new SparseBitmap(size);
          const model = new Model(size);
          for (const operation of list) {
            assert.deepEqual(
              run(operation, bitmap, size),
              run(operation, model, size),
              JSON.stringify(operation),
            );
          }
          assert.equal(bitmap.count(0, size - 1), model.count(0, size - 1));
          assert.equal(bitmap.isEmpty, model.count(0, size - 1) === 0);
        }),
        { numRuns: 60 },
      );
    });
  }

  for (const order of ["ascending", "descending", "scattered"] as const) {
    it(`shrinks to almost nothing when it is full, taken ${order}, and to nothing when it is empty`, () => {
      const size = 2 ** 16;
      const bitmap = new SparseBitmap(size);
      const at = (i: number) =>
        order === "ascending" ? i : order === "descending" ? size - 1 - i : (i * 40_503) % size;
      for (let i = 0; i < size; i++) assert.equal(bitmap.add(at(i)), true);
      assert.equal(bitmap.nextFree(0), -1);
      assert.equal(bitmap.count(0, size - 1), size);
      assert.ok(bitmap.byteLength <= 8, `${bitmap.byteLength} bytes`);
      for (let i = 0; i < size; i++) assert.equal(bitmap.delete(at(i)), true);
      assert.equal(bitmap.isEmpty, true);
      assert.equal(bitmap.byteLength, 0);
    });
  }

  it("finds the hole in a full bitmap of several levels", () => {
    const bitmap = new SparseBitmap(2 ** 24);
    const chunks = 200;
    for (let i = 0; i < chunks * 8192; i++) bitmap.add(i);
    assert.equal(bitmap.nextFree(0), chunks * 8192);
    assert.equal(bitmap.delete(123_456), true);
    assert.equal(bitmap.nextFree(0), 123_456);
    assert.equal(bitmap.nextFree(123_457), chunks * 8192);
    assert.equal(bitmap.has(123_455), true);
    assert.equal(bitmap.has(123_456), false);
  });
});
