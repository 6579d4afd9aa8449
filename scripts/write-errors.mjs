// Writes docs/errors.md from the catalogue, or with --check tells whether it is up to date.
import { readFileSync, writeFileSync } from "node:fs";
import { errorCatalogue } from "../dist/src/core/index.js";

const file = new URL("../docs/errors.md", import.meta.url);
const rows = Object.entries(errorCatalogue).map(
  ([code, { kind, meaning }]) => `| \`${code}\` | ${kind} | ${meaning} |`,
);
const text = `# Errors

Every error that weft throws is a \`WeftError\` with a stable \`code\`, a \`kind\` that says whose fault it is,
and a message with the value that was wrong and what would be right. This page is made from the catalogue in
src/core/error-catalogue.ts by \`npm run errors\`.

| code | kind | when |
| --- | --- | --- |
${rows.join("\n")}
`;

if (!process.argv.includes("--check")) writeFileSync(file, text);
else if (readFileSync(file, "utf8") !== text) {
  console.error("docs/errors.md is not what the catalogue says: run npm run errors");
  process.exit(1);
}
