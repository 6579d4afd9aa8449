import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { atEnd } from "./cleanup.ts";

/** A new folder that is gone when the test has ended, well or badly. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "weft-store-"));
  atEnd(t, () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
