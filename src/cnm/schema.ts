import type { Schema } from "../store/index.ts";

/** The form of the records in the store. A change of their form is a new version and a migration to it. */
export const schema: Schema = { version: 1, migrations: [] };
