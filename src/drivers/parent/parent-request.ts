import type { IpvlanSpec, MacvlanSpec } from "../../kernel/index.ts";
import type { ParentUse } from "./answer.ts";

/** What a network asks for by its option `parent`. */
export interface ParentRequest {
  /** The driver, for the words of a refusal. */
  readonly driver: string;
  /** The link's name, as the user gave it. */
  readonly parent: string;
  readonly use: ParentUse;
  /** The links that are to be on it; absent for a bridge's port. */
  readonly spec?: MacvlanSpec | IpvlanSpec | undefined;
}
