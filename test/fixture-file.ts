import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The repository: tests run from its dist folder, fixtures stay where they are written. */
export function repositoryFolder(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const file = path.join(folder, "package.json");
    if (existsSync(file)) {
      const { name } = JSON.parse(readFileSync(file, "utf8")) as { name?: unknown }; // npm's format
      if (name === "weft") return folder;
    }
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error("no package.json of weft above the tests");
    folder = parent;
  }
}

/** The text of a file below test/fixtures. */
export function readFixture(name: string): string {
  return readFileSync(path.join(repositoryFolder(), "test/fixtures", name), "utf8");
}
