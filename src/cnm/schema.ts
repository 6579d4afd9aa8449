import type { Schema } from "../store/index.ts";
import type { NetworkRecord, SandboxRecord } from "./records.ts";

/** Where the records of networks and sandboxes are. */
const networkFolder = "networks/";
const sandboxFolder = "sandboxes/";

/** The form of the records in the store. A change of their form is a new version and a migration to it. */
export const schema: Schema = {
  version: 3,
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
    {
      // There were no configuration networks, none that spans hosts, and no sandbox had sysctls of its own.
      from: 2,
      migrate: (transaction) => {
        for (const { key, value } of transaction.range(networkFolder)) {
          const record = value as Omit<NetworkRecord, "scope" | "attachable" | "configOnly">; // of version 2
          transaction.put(key, { scope: "local", attachable: false, configOnly: false, ...record });
        }
        for (const { key, value } of transaction.range(sandboxFolder)) {
          const record = value as Omit<SandboxRecord, "sysctls">; // of version 2
          transaction.put(key, { sysctls: {}, ...record });
        }
      },
    },
  ],
};
