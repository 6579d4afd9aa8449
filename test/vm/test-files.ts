import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { type FeatureName, featureNames } from "../../src/facts/index.ts";

/** A file of tests. */
export interface TestFile {
  /** As people name it, `test/e2e/nat.test.ts`. */
  readonly source: string;
  /** What is run, `dist/test/e2e/nat.test.js`. */
  readonly compiled: string;
  /** What it says that it needs of the kernel. */
  readonly needs: readonly FeatureName[];
}

/**
 * The files of tests below the folder `test` of `root` whose path has one of these words in it; all, when
 * there are no words. Throws when one was not compiled, for then it would not run.
 */
export function findTestFiles(root: string, words: readonly string[]): readonly TestFile[] {
  return readdirSync(path.join(root, "test"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
    .sort()
    .map((name) => {
      const source = path.join("test", name);
      const compiled = path.join("dist", source.replace(/\.ts$/, ".js"));
      if (!existsSync(path.join(root, compiled)))
        throw new Error(`${source} is not compiled: run npm run build first`);
      return {
        source,
        compiled,
        needs: neededFeatures(source, readFileSync(path.join(root, source), "utf8")),
      };
    });
}

/** What the text of a file gives to needsKernel(). Throws when it is there in a form that cannot be read so. */
export function neededFeatures(file: string, text: string): readonly FeatureName[] {
  const calls = [...text.matchAll(/^needsKernel\(([^)]*)\);$/gm)];
  const mentions = text.match(/^[ \t]*needsKernel\(/gm)?.length ?? 0;
  if (calls.length !== mentions)
    throw new Error(`${file}: needsKernel(…) has to stand at the left margin, with the names as plain text`);
  return calls.flatMap(([, inside = ""]) => {
    const listed = inside.split(",").map((part) => part.trim());
    return listed.filter((part) => part !== "").map((part) => featureNamed(file, part));
  });
}

function featureNamed(file: string, quoted: string): FeatureName {
  const name = featureNames.find((one) => `"${one}"` === quoted);
  if (name !== undefined) return name;
  throw new Error(`${file} needs ${quoted} of the kernel, which src/facts does not know`);
}

/** Files for this machine's own kernel, and for a guest's: those that need what this one lacks. */
export function divide(
  files: readonly TestFile[],
  missing: ReadonlySet<FeatureName>,
): { readonly host: readonly TestFile[]; readonly guest: readonly TestFile[] } {
  const lacking = ({ needs }: TestFile) => needs.some((name) => missing.has(name));
  return { host: files.filter((file) => !lacking(file)), guest: files.filter(lacking) };
}

/** Folders whose tests ask the kernel for something, most of them for what cannot be told by their imports. */
const kernelFolders = ["kernel", "runtime", "e2e"].map((folder) => path.join("test", folder, path.sep));

/** Those in these folders, and all that say what they need of a kernel or make a network namespace by what they import. */
export function kernelTests(root: string, files: readonly TestFile[]): readonly TestFile[] {
  const fixture = path.join("test", "netns-fixture.ts");
  return files.filter(
    ({ source, needs }) =>
      kernelFolders.some((folder) => source.startsWith(folder)) ||
      needs.length > 0 ||
      importsOf(root, source).has(fixture),
  );
}

/** The files below `test` that a file imports, itself or by others. */
function importsOf(root: string, source: string): ReadonlySet<string> {
  const found = new Set([source]);
  for (const file of found) {
    const text = readFileSync(path.join(root, file), "utf8");
    for (const [, target = ""] of text.matchAll(/^(?:import|export)\b[^;]*?from\s+"(\.[^"]+)"/gms)) {
      const imported = path.join(path.dirname(file), target);
      if (imported.startsWith(`test${path.sep}`)) found.add(imported);
    }
  }
  return found;
}
