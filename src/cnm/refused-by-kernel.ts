import { WeftError } from "../core/index.ts";
import { isKernelError, type KernelError } from "../kernel/index.ts";

/** What of a sandbox's options the kernel alone can judge. */
interface Judged {
  /** By their names with dots. */
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly netnsPath?: string;
}

/**
 * Tells of what the kernel refused as of an option that was wrong, when that is why: a sysctl that it does not have or
 * whose value it does not take, a path that is no network namespace. Gives INVALID_OPTION then, and any other error as
 * it was.
 */
export function inWords(error: unknown, options: Judged): unknown {
  if (!isKernelError(error)) return error;
  const words = sysctlWords(error, options.sysctls ?? {}) ?? netnsWords(error, options.netnsPath);
  return words === undefined ? error : new WeftError("INVALID_OPTION", words, { cause: error });
}

function sysctlWords(
  { call, errnoName, details }: KernelError,
  sysctls: Readonly<Record<string, string>>,
): string | undefined {
  if (call !== "write") return undefined;
  const found = Object.entries(sysctls).find(
    ([name]) => details.object === `sysctl ${name.replaceAll(".", "/")}`,
  );
  if (found === undefined) return undefined;
  const [name, value] = found;
  switch (errnoName) {
    case "ENOENT":
      return `sysctl ${JSON.stringify(name)} is not allowed: a network namespace of this kernel has none of that name`;
    case "EACCES":
    case "EPERM":
      return `sysctl ${JSON.stringify(name)} is not allowed: it cannot be written`;
    case "EINVAL":
    case "ERANGE":
      return `invalid value of sysctl ${name}: the kernel refuses ${JSON.stringify(value)}`;
    default:
      return undefined;
  }
}

function netnsWords({ call, errnoName, details }: KernelError, path: string | undefined): string | undefined {
  const { object } = details;
  if (path === undefined || typeof object !== "string") return undefined;
  const invalid = `invalid network namespace ${JSON.stringify(path)}`;
  // In the words of src/kernel: what is there is none, or it is the host's.
  const mounted = call === "mount" && object.startsWith(`${path}: `);
  if (mounted) return `${invalid}: it is ${object.slice(path.length + 2).replace(/^no /, "no network ")}`;
  if (call !== "open" || object !== path) return undefined;
  return `${invalid}: ${errnoName === "ENOENT" ? "there is no such file" : `it cannot be opened: ${errnoName}`}`;
}
