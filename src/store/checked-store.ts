/** What a store that is in order holds. */
export interface CheckedStore {
  /** The schema version that it was written with; an older one is migrated when it is opened. */
  readonly schema: number;
  readonly revision: number;
  readonly entries: number;
}

/** What the process that reads a store prints. */
export type CheckAnswer = CheckedStore | { readonly error: string };
