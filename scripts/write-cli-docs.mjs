// Writes the second half of docs/cli.md, the help of every command, from the commands themselves:
//   node scripts/write-cli-docs.mjs           after a build
//   node scripts/write-cli-docs.mjs --check   fails when the page is not what would be written
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const page = new URL("../docs/cli.md", import.meta.url);
const program = new URL("../dist/src/cli/main.js", import.meta.url).pathname;
const marker = "<!-- What follows is made by `npm run cli-docs`. -->\n";

const written = readFileSync(page, "utf8");
const prose = written.slice(0, written.indexOf(marker) + marker.length);
const text = `${prose}\n${commandsBelow([]).map(section).join("\n")}`;
if (process.argv.includes("--check")) {
  if (text !== written) {
    console.error("docs/cli.md is not what the commands say; run `npm run cli-docs`");
    process.exit(1);
  }
} else writeFileSync(page, text);

function section(path) {
  const help = helpOf(path).replace(/^Usage: .*\n\n/, "");
  const usage = /^Usage: (.*)$/m.exec(helpOf(path))?.[1];
  return `### weft ${path.join(" ")}\n\n\`\`\`text\n${usage}\n\n${help.trimEnd()}\n\`\`\`\n`;
}

/** The paths of all commands that do something, in the order of the helps. */
function commandsBelow(path) {
  const names = [...helpOf(path).matchAll(/^ {2}([a-z]+)(?:\|[a-z]+)?(?= {2,}| [<[])/gm)].map(
    (match) => match[1],
  );
  const commands = path.length > 0 && !/^Commands:$/m.test(helpOf(path)) ? [] : names;
  const below = commands.filter((name) => name !== "help").map((name) => [...path, name]);
  return path.length > 0 && below.length === 0 ? [path] : below.flatMap(commandsBelow);
}

function helpOf(path) {
  return execFileSync(process.execPath, [program, ...path, "--help"], {
    encoding: "utf8",
    env: { COLUMNS: "80" },
  });
}
