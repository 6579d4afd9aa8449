import { readFileSync } from "node:fs";

/** The version of this weft, as package.json has it. */
export const weftVersion: string = versionOfPackage();

function versionOfPackage(): string {
  // Compiled, this file is dist/src/daemon/weft-version.js.
  const text = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { readonly version: string }; // our own package.json
  return version;
}
