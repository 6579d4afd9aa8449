import type { Finding } from "../api/index.ts";
import { checkRecords, restoreRecords } from "../cnm/index.ts";
import { LinuxFacts } from "../facts/index.ts";
import { readConfig } from "./config.ts";
import { diagnose } from "./doctor.ts";
import type { Folders } from "./folders.ts";

/** What a store's check found. */
export interface StoreReport {
  readonly schemaVersion: number;
  /** How many commits there were. */
  readonly revision: number;
  readonly entries: number;
}

/** Checks a configuration file. Throws INVALID_CONFIG. */
export async function checkConfig(file: string): Promise<void> {
  readConfig(file);
}

/** The doctor's report where no daemon runs: what this kernel and host offer. */
export async function examineHost(): Promise<readonly Finding[]> {
  const facts = new LinuxFacts("/proc/self/ns/net");
  try {
    const features = facts.features();
    return [
      ...diagnose({ facts, features, drifted: undefined, forwards: false, wireNetworks: [] }),
      { Check: "daemon", Level: "note", Found: "does not run", Advice: "start it with `weft up`" },
    ];
  } finally {
    facts.close();
  }
}

/** Puts a backup in the store's place, the former one beside it. Throws CONTROLLER_RUNNING, and STORE for no backup. */
export async function restoreStore({ root }: Folders, file: string): Promise<void> {
  await restoreRecords(file, root);
}

/** Reads all that is stored; a daemon may run meanwhile. Throws STORE, with what to do, when it is damaged. */
export async function checkStore({ root }: Folders): Promise<StoreReport> {
  const { schema, revision, entries } = await checkRecords({ root });
  return { schemaVersion: schema, revision, entries };
}
