import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { errorCatalogue } from "../../src/core/index.ts";

/** The compiled sources beside the compiled tests. */
const sources = path.join(import.meta.dirname, "../../src");
const isSource = (name: string) => /\.[jt]s$/.test(name) && !name.endsWith(".d.ts");

function textOfSources(): string {
  const files = readdirSync(sources, { recursive: true, encoding: "utf8" });
  const texts = files.filter((name) => isSource(name) && !name.includes("error-catalogue"));
  return texts.map((name) => readFileSync(path.join(sources, name), "utf8")).join("\n");
}

test("every code of the catalogue is thrown somewhere, and every code thrown is in the catalogue", () => {
  const text = textOfSources();
  const codes = Object.keys(errorCatalogue);
  assert.deepEqual(
    codes.filter((code) => !text.includes(`"${code}"`)),
    [],
  );
  const thrown = [...text.matchAll(/new WeftError\(\s*"([^"]*)"/g)].map(([, code = ""]) => code);
  assert.ok(thrown.length > 0);
  assert.deepEqual(
    thrown.filter((code) => !codes.includes(code)),
    [],
  );
});

test("every meaning is a sentence of its own", () => {
  const meanings = Object.values(errorCatalogue).map(({ meaning }) => meaning);
  assert.equal(new Set(meanings).size, meanings.length);
  for (const meaning of meanings) assert.match(meaning, /^[A-Za-z].*\.$/);
});
