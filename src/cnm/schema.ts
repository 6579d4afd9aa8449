import type { Schema } from "../store/index.ts";
import type { SandboxRecord } from "./records.ts";

/** Where sandboxes' records are. */
const sandboxFolder = "sandboxes/";

/** The form of the records in the store. A change of their form is a new version and a migration to it. */
export const schema: Schema = {
  version: 2,
  migrations: [
    {
      // Sandboxes had no published ports yet.
      from: 1,
      migrate: (transaction) => {
        for (const { key, value } of transaction.range(sandboxFolder)) {
          const record = value as Omit<SandboxRecord, "ports" | "bindings">; // as version 1 wrote it
          transaction.put(key, { ports: [], bindings: [], ...record });
        }
      },
    },
  ],
};
