import os from "node:os";
import { WeftError } from "../core/index.ts";

// EWOULDBLOCK and ENOTSUP are second names of EAGAIN and EOPNOTSUPP.
const secondNames = new Set(["EWOULDBLOCK", "ENOTSUP"]);
const errnoNumbers: Readonly<Record<string, number>> = os.constants.errno;
const errnoNames = new Map<number, string>(
  Object.entries(errnoNumbers)
    .filter(([name]) => !secondNames.has(name))
    .map(([name, number]) => [number, name]),
);
// Numbers that Node's table lacks; from include/uapi/asm-generic/errno.h.
for (const [name, number] of [
  ["EBADE", 52],
  ["ENOPKG", 65],
  ["EUCLEAN", 117],
  ["EREMCHG", 78],
] as const) {
  errnoNames.set(number, name);
}

/** The name of an errno, `EEXIST`; `errno 200` for one that nobody named. */
export function errnoName(errno: number): string {
  return errnoNames.get(errno) ?? `errno ${errno}`;
}

/** What to do about refusals that are no fault of what was asked. */
const remedies = new Map([
  ["EMFILE", "this process has as many files open as it may; more by LimitNOFILE= of its unit, or ulimit -n"],
  ["ENFILE", "this machine has as many files open as it may; more by the sysctl fs.file-max"],
]);

/** What was asked of the kernel when it refused. */
export interface KernelErrorInit {
  /** The positive errno. */
  readonly errno: number;
  /** The system call or netlink request, `RTM_NEWLINK`. */
  readonly call: string;
  /** The link, address, file or rule that it was about. */
  readonly object: string;
  /** The kernel's own words (NLMSGERR_ATTR_MSG), when it gave any. */
  readonly words?: string | undefined;
  /** Byte offset in the request of the attribute that was wrong (NLMSGERR_ATTR_OFFS). */
  readonly offset?: number | undefined;
}

/** A refused system call or netlink request: which call, on what, the errno's name and the kernel's own words. */
export class KernelError extends WeftError {
  readonly errno: number;
  /** The errno's name, for comparing: `error.errnoName === "EEXIST"`. */
  readonly errnoName: string;
  readonly call: string;

  constructor(init: KernelErrorInit) {
    const name = errnoName(init.errno);
    const words = init.words ?? remedies.get(name);
    super("KERNEL", `${init.call} ${init.object}: ${name}${words === undefined ? "" : ` (${words})`}`, {
      details: { errno: name, call: init.call, object: init.object, words: init.words, offset: init.offset },
    });
    this.name = "KernelError";
    this.errno = init.errno;
    this.errnoName = name;
    this.call = init.call;
  }
}

/** True when `error` is the kernel's refusal with one of these errno names; second names count as well. */
export function isKernelError(error: unknown, ...names: readonly string[]): error is KernelError {
  if (!(error instanceof KernelError)) return false;
  return (
    names.length === 0 || names.some((name) => name === error.errnoName || errnoNumbers[name] === error.errno)
  );
}
