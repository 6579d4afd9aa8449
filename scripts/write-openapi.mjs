// Writes docs/openapi.json from the daemon's routes and schemas, or with --check tells whether it is up to date.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { openApi } from "../dist/src/api/index.js";

const file = new URL("../docs/openapi.json", import.meta.url);
const text = `${JSON.stringify(openApi(), null, 2)}\n`;

if (!process.argv.includes("--check")) writeFileSync(file, text);
else if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
  console.error("docs/openapi.json is not what the routes say: run npm run openapi");
  process.exit(1);
}
