import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";

/** A process that has to do with a daemon, and how. */
export interface ProcessTrace {
  readonly pid: number;
  /** For people: `process 4711 (busybox sleep 9) runs in a sandbox`. */
  readonly what: string;
}

/** What tells a daemon's processes from all others. */
export interface Signs {
  /** Where it keeps everything. */
  readonly folder: string;
  /** The devices, `0:52`, that the sandboxes' own files are on; every mount namespace that is made has copies of their mounts. */
  readonly devices: ReadonlySet<string>;
}

/** Processes but this one that were started with the folder's name, hold a descriptor in it, or run in a sandbox. */
export function processTraces(signs: Signs): readonly ProcessTrace[] {
  const traces: ProcessTrace[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const how = traceOf(pid, signs);
    if (how !== undefined) traces.push({ pid, what: `process ${pid} (${commandLine(pid)}) ${how}` });
  }
  return traces;
}

/** The device that a file is on, as mountinfo writes it (proc_pid_mountinfo(5)); the numbers are packed as makedev(3) does. */
export function deviceOf(path: string): string {
  const { dev } = statSync(path);
  return `${(dev >>> 8) & 0xfff}:${(dev & 0xff) | ((dev >>> 12) & 0xfff00)}`;
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

function traceOf(pid: number, { folder, devices }: Signs): string | undefined {
  if (commandLine(pid).includes(folder)) return "was started with it";
  if (sandboxDevices(pid).some((device) => devices.has(device))) return "runs in a sandbox";
  const held = descriptors(pid).find((target) => target.startsWith(folder));
  return held === undefined ? undefined : `holds ${held}`;
}

/** The devices of the sandbox's files that a process sees in place of the host's. */
function sandboxDevices(pid: number): readonly string[] {
  return text(`/proc/${pid}/mountinfo`)
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , , , point = ""]) => point === "/etc/hosts" || point === "/etc/resolv.conf")
    .map(([, , device = ""]) => device);
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
