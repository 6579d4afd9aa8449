import { readFileSync } from "node:fs";

let version: string | undefined;

/** The version of this package. */
export function ownVersion(): string {
  if (version === undefined) {
    // dist/src/cli/ -> the package's own folder
    const text = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
    version = (JSON.parse(text) as { version: string }).version; // npm's format
  }
  return version;
}
