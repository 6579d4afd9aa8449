import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { KernelError } from "../kernel-error.ts";
import type { FileObject, SysctlObject } from "../objects.ts";

/** A file system call's failure as a KernelError; what is one already, or anything else, as it was. */
export function asKernelError(error: unknown, call: string, object: string): unknown {
  if (error instanceof KernelError) return error;
  const errno = error instanceof Error && "errno" in error ? error.errno : undefined;
  return typeof errno === "number" ? new KernelError({ errno: Math.abs(errno), call, object }) : error;
}

function attempt<T>(call: string, object: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asKernelError(error, call, object);
  }
}

/**
 * What Linux writes on every link as well: for IPv6 even where it says the same already (addrconf_fixup_forwarding()
 * of net/ipv6/addrconf.c), and so on those that somebody set apart.
 */
const spreads = /^net\/ipv[46]\/conf\/all\//;

/** Writes a value below /proc/sys; the calling thread is in the right namespace. Throws KernelError. */
export function writeSysctl({ key, value }: SysctlObject): void {
  if (spreads.test(key) && readSysctl(key) === value) return;
  attempt("write", `sysctl ${key}`, () => writeFileSync(`/proc/sys/${key}`, value));
}

/** Reads a value below /proc/sys in the calling thread's namespace; undefined when this kernel has none. Throws KernelError. */
export function readSysctl(key: string): string | undefined {
  return attempt("read", `sysctl ${key}`, () => readIfThere(`/proc/sys/${key}`))?.trim();
}

/** Writes a file in place: whoever has it bind-mounted sees the new content. Throws KernelError. */
export function writeFile({ path, content }: FileObject): void {
  attempt("write", path, () => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    writeFileSync(path, content, { mode: 0o644 });
  });
}

/** The content of a file; undefined when it is not there. Throws KernelError. */
export function readFile(path: string): string | undefined {
  return attempt("read", path, () => readIfThere(path));
}

/** Removes a file, and its folder when that is empty now. Throws KernelError. */
export function removeFile(path: string): void {
  attempt("unlink", path, () => {
    rmSync(path, { force: true });
    try {
      rmdirSync(dirname(path));
    } catch {
      // Other files are in it, or somebody removed it already.
    }
  });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
