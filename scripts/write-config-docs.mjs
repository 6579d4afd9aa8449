// Writes docs/config.schema.json and the table of keys in docs/daemon.md from the schema that checks the daemon's
// configuration, after a build; with --check tells whether they are up to date.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { DaemonConfig } from "../dist/src/daemon/config.js";

const schemaFile = new URL("../docs/config.schema.json", import.meta.url);
const page = new URL("../docs/daemon.md", import.meta.url);
const [begin, end] = ["<!-- Made by `npm run config-docs`. -->\n", "<!-- Until here. -->\n"];

const schema = { title: "weft's daemon", ...z.toJSONSchema(DaemonConfig, { io: "input" }) };
const rows = Object.entries(schema.properties).map(
  ([key, property]) =>
    `| \`${key}\` | ${typeOf(property)} | ${defaultOf(property)} | ${property.description} |`,
);
const table = ["| key | value | without | meaning |", "| --- | --- | --- | --- |", ...rows, ""].join("\n");
const written = readFileSync(page, "utf8");
const [before, after] = [written.split(begin)[0], written.split(end)[1]];
if (after === undefined) throw new Error(`docs/daemon.md has no ${begin.trim()} and ${end.trim()}`);

let stale = false;
hold(schemaFile, `${JSON.stringify(schema, null, 2)}\n`);
hold(page, before + begin + table + end + after);
if (stale) process.exit(1);

function hold(file, text) {
  if (!process.argv.includes("--check")) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
    console.error(`${file.pathname} is not what src/daemon/config.ts says: run npm run config-docs`);
    stale = true;
  }
}

/** What a value looks like, for people. */
function typeOf({
  const: only,
  enum: words,
  type,
  minimum,
  maximum,
  items,
  properties,
  additionalProperties,
}) {
  if (only !== undefined) return `\`${JSON.stringify(only)}\``;
  if (words !== undefined) return words.map((word) => `\`"${word}"\``).join(", ");
  if (type === "array")
    return `a list of ${items.type === "object" ? fieldsOf(items.properties) : `${items.type}s`}`;
  if (properties !== undefined) return fieldsOf(properties);
  if (type === "object") return `an object of ${additionalProperties.type}s`;
  return type === "integer" ? `${minimum} to ${maximum}` : type;
}

function fieldsOf(properties) {
  const fields = Object.entries(properties).map(([name, property]) => `"${name}": ${typeOf(property)}`);
  return `\`{${fields.join(", ")}}\``;
}

function defaultOf({ default: value }) {
  return value === undefined ? "" : `\`${JSON.stringify(value)}\``;
}
