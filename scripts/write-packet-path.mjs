// Writes docs/packet-path.md from what a host of its own shows, or with --check tells whether it is up to
// date. Needs root, nft and conntrack; touches nothing of the machine's own network.
import { readFileSync, writeFileSync } from "node:fs";
import { packetPathPage } from "../dist/test/packet-path/page.js";

const file = new URL("../docs/packet-path.md", import.meta.url);
const text = await packetPathPage();

if (!process.argv.includes("--check")) writeFileSync(file, text);
else {
  const lines = text.split("\n");
  const written = readFileSync(file, "utf8").split("\n");
  const at = lines.findIndex((line, index) => line !== written[index]);
  if (at >= 0 || lines.length !== written.length) {
    const line = at < 0 ? lines.length : at;
    console.error(
      `docs/packet-path.md is not what this host shows: run npm run packet-path. Its line ${line + 1} is\n` +
        `  ${written[line]}\nand should be\n  ${lines[line]}`,
    );
    process.exit(1);
  }
}
