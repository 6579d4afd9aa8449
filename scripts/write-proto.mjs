// Writes the TypeScript of every .proto file under src/, beside it, or with --check tells whether it is up to
// date. Needs protoc (Debian: protobuf-compiler); the generator is @bufbuild/protoc-gen-es.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const check = process.argv.includes("--check");

const protos = readdirSync(join(root, "src"), { recursive: true }).filter((name) => name.endsWith(".proto"));
let stale = 0;
for (const proto of protos.sort()) {
  const target = join(root, "src", proto.replace(/\.proto$/, "_pb.ts"));
  const text = withoutEnums(generated(join(root, "src", proto)));
  if (!check) writeFileSync(target, text);
  else if (readOr(target) !== text) {
    console.error(`${target} is not what its .proto says: run npm run proto`);
    stale++;
  }
}
if (stale > 0) process.exit(1);
console.log(`${protos.length} .proto files: ${check ? "their TypeScript is up to date" : "written"}`);

function generated(proto) {
  const out = mkdtempSync(join(tmpdir(), "weft-proto-"));
  try {
    const plugin = join(root, "node_modules", "@bufbuild", "protoc-gen-es", "bin", "protoc-gen-es");
    const { status, error, stderr } = spawnSync(
      "protoc",
      [
        `--plugin=protoc-gen-es=${plugin}`,
        `--proto_path=${dirname(proto)}`,
        `--es_out=${out}`,
        "--es_opt=target=ts",
        basename(proto),
      ],
      { encoding: "utf8" },
    );
    if (status !== 0) throw new Error(`protoc failed for ${proto}: ${error?.message ?? stderr}`);
    return readFileSync(join(out, basename(proto).replace(/\.proto$/, "_pb.ts")), "utf8");
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** TypeScript's enums are no syntax that can merely be erased: each becomes a constant and a type of its name. */
function withoutEnums(text) {
  return text.replace(/^export enum (\w+) \{\n(.*?)^\}$/gms, (_, name, body) => {
    const members = body.replace(/^(\s*\w+) = (-?\d+),$/gm, "$1: $2,");
    return `export const ${name} = {\n${members}} as const;\nexport type ${name} = (typeof ${name})[keyof typeof ${name}];`;
  });
}

function readOr(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
