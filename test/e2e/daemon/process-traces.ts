import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A process that has to do with a folder, and how. */
export interface ProcessTrace {
  readonly pid: number;
  /** For people: `4711 (busybox sleep 9) mounts it`. */
  readonly what: string;
}

/** Processes but this one that were started with a folder's name, hold a descriptor in it, or have it among their own mounts. */
export function processTraces(folder: string): readonly ProcessTrace[] {
  const ownMounts = link("/proc/self/ns/mnt");
  const traces: ProcessTrace[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const how = traceOf(pid, folder, ownMounts);
    if (how !== undefined) traces.push({ pid, what: `process ${pid} (${commandLine(pid)}) ${how}` });
  }
  return traces;
}

/** A process's command line as people write it; empty when it has ended. */
export function commandLine(pid: number): string {
  return text(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
}

/** When a process began, in clock ticks since the boot; undefined when it has ended (proc_pid_stat(5)). */
export function startTicksOf(pid: number): number | undefined {
  const stat = text(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return stat === "" || fields[0] === "Z" || fields[0] === "X" ? undefined : Number(fields[19]);
}

function traceOf(pid: number, folder: string, ownMounts: string): string | undefined {
  const mounts = link(`/proc/${pid}/ns/mnt`);
  if (mounts === "") return undefined; // it has ended
  if (mounts !== ownMounts && text(`/proc/${pid}/mountinfo`).includes(folder)) return "has it mounted";
  if (commandLine(pid).includes(folder)) return "was started with it";
  const held = descriptors(pid).find((target) => target.startsWith(folder));
  return held === undefined ? undefined : `holds ${held}`;
}

function descriptors(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => link(`/proc/${pid}/fd/${fd}`));
  } catch {
    return []; // it has ended
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
