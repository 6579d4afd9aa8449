import { type NetlinkRequest, NLM_F_CREATE, NLM_F_EXCL } from "../message.ts";

/** One message of a transaction. The functions that make them give lists, so that lists are put together. */
export interface Change extends NetlinkRequest {
  /** What stands at this offset of the message, for errors: one element out of thousands. */
  readonly objectAt?: (offset: number) => string | undefined;
}

/** How something is made. */
export interface CreateOptions {
  /** EEXIST when it is there; otherwise that is no error, and what is there is kept as it is. */
  readonly exclusive?: boolean;
}

/** How something is deleted. */
export interface DeleteOptions {
  /** Not to be there is no error. The kernel has this since 6.3; an older one answers EINVAL. */
  readonly ifExists?: boolean;
}

/** NLM_F_* of a request that makes something. */
export function createFlags(options: CreateOptions | undefined): number {
  return options?.exclusive ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_CREATE;
}
