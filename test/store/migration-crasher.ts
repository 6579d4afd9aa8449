import { pathToFileURL } from "node:url";
import { LmdbStore, type Migration } from "../../src/store/index.ts";

/** Two steps; `midway` is called in the middle of the second one's writes. */
export function crashingMigrations(midway: () => void): readonly Migration[] {
  const step = (from: number, between: () => void): Migration => ({
    from,
    migrate(tx) {
      for (const { key, value } of tx.range("n/")) {
        tx.put(key, `${value}+${from + 1}`);
        between();
      }
    },
  });
  return [step(1, () => {}), step(2, midway)];
}

// As a program: opens the store of the folder it is given and dies while that is migrated.
const [, script, path] = process.argv;
if (script !== undefined && path !== undefined && import.meta.url === pathToFileURL(script).href) {
  const migrations = crashingMigrations(() => process.kill(process.pid, "SIGKILL"));
  await LmdbStore.open({ path, schema: { version: 3, migrations } });
}
