import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { repositoryFolder } from "../fixture-file.ts";
import { findProgram, programFolders } from "../peers/programs.ts";
import { type DebianKernel, moduleFiles } from "./debian-kernel.ts";
import { type DiskFile, memoryDisk } from "./memory-disk.ts";

/** What a guest is made for. */
export interface GuestCommand {
  /** The program and its arguments, found as on this machine: the guest's root is this machine's, as it is now. */
  readonly command: readonly string[];
  /** Where it runs. */
  readonly folder: string;
  /** Added to what every guest has: PATH, HOME and TMPDIR. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long the guest may take, ms. */
  readonly limitMs: number;
  /** Ends the guest before its time. */
  readonly signal?: AbortSignal;
  /** Takes what the guest prints, as it comes. */
  readonly output: (chunk: Buffer) => void;
}

/** MiB of memory, which also hold all that is written in the guest. Taken of the machine only as it is used. */
const memory = 3072;
/** What the memory disk loads, with all that these need: the way to the machine's files, and a layer above them. */
const firstModules = ["virtio_pci", "9pnet_virtio", "9p", "overlay"];

/**
 * Runs a command in a virtual machine with another kernel than this machine's, whose files it sees as they are
 * here and writes in memory only; it has no network. Gives the command's exit status. Throws when the guest ends
 * without one, and when its time is over. Nothing of it is left then, nor when this process is killed.
 */
export async function runInGuest(kernel: DebianKernel, command: GuestCommand): Promise<number> {
  // Both files have no name any more once they are open: qemu finds them by their descriptors, 3 and 4.
  const disk = namelessFile(memoryDisk(diskFiles(kernel, command)));
  const log = namelessFile(Buffer.alloc(0));
  try {
    await runQemu(kernel, command, [disk, log]);
    const said = readFileSync(`/proc/self/fd/${log}`, "utf8");
    const [, status] = /^status (\d+)\r?$/m.exec(said) ?? [];
    if (status !== undefined) return Number(status);
    throw new Error(`the guest ended without an exit status; its console's last words:\n${lastLines(said)}`);
  } finally {
    closeSync(disk);
    closeSync(log);
  }
}

async function runQemu(
  { image }: DebianKernel,
  { limitMs, signal, output }: GuestCommand,
  fds: readonly number[],
): Promise<void> {
  // It hears of the end of this process from the kernel, however that comes.
  const args = ["--pdeathsig", "KILL", findProgram("qemu-system-x86_64"), ...machine(image)];
  const child = spawn(findProgram("setpriv"), args, { stdio: ["ignore", "pipe", "pipe", ...fds] });
  child.stdout?.on("data", output);
  child.stderr?.on("data", output);
  const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>; // what "close" tells
  const killer = killWhen(child, limitMs, signal);
  try {
    const [code, by] = await ended;
    if (killer.reason !== undefined) throw new Error(killer.reason);
    if (code !== 0) throw new Error(`qemu-system-x86_64 ended with ${by ?? code}`);
  } finally {
    killer.stop();
  }
}

/** Kills the guest when its time is over or somebody wants its end, and says which it was. */
function killWhen(child: ChildProcess, limitMs: number, signal: AbortSignal | undefined) {
  const killer = { reason: undefined as string | undefined, stop };
  const kill = (reason: string) => {
    killer.reason ??= reason;
    child.kill("SIGKILL");
  };
  const interrupted = () => kill("the guest was killed: the run was interrupted");
  const limit = setTimeout(
    () => kill(`the guest was killed: it was not done after ${limitMs / 1000} seconds`),
    limitMs,
  );
  signal?.addEventListener("abort", interrupted);
  if (signal?.aborted) interrupted();
  return killer;

  function stop(): void {
    clearTimeout(limit);
    signal?.removeEventListener("abort", interrupted);
  }
}

/**
 * The virtual machine. It is emulated in software: stock guest kernels do not boot under the KVM of every
 * machine that is itself virtual. The first serial line is the command's, the second the guest's console.
 */
function machine(image: string): readonly string[] {
  const processors = Math.min(availableParallelism(), 4);
  return [
    ...["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", String(processors), "-m", String(memory)],
    ...["-kernel", image, "-initrd", "/proc/self/fd/3"],
    ...["-append", "console=ttyS1 panic=-1 quiet mitigations=off"],
    ...["-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot"],
    ...["-serial", "stdio", "-serial", "file:/proc/self/fd/4"],
    ...["-fsdev", "local,id=machine,path=/,security_model=none,readonly=on,multidevs=remap"],
    ...["-device", "virtio-9p-pci,fsdev=machine,mount_tag=machine"],
  ];
}

function diskFiles(kernel: DebianKernel, command: GuestCommand): readonly DiskFile[] {
  const script = (name: string) => readFileSync(path.join(repositoryFolder(), "test/vm", name));
  const modules = moduleFiles(kernel, firstModules).map((file, i) => ({
    name: `modules/${String(i).padStart(2, "0")}-${path.basename(file)}`,
    content: readFileSync(file),
  }));
  return [
    { name: "bin", content: "folder" },
    { name: "bin/busybox", content: readFileSync(findProgram("busybox")) },
    { name: "modules", content: "folder" },
    ...modules,
    { name: "init", content: script("boot.sh") },
    { name: "stage.sh", content: script("stage.sh") },
    { name: "command.sh", content: Buffer.from(commandScript(kernel, command)) },
  ];
}

/** What stage.sh reads: where things are, and the command as a function. */
function commandScript(
  { folder: kernel }: DebianKernel,
  { command, folder, env = {} }: GuestCommand,
): string {
  const variables = { PATH: programFolders, HOME: "/root", TMPDIR: "/guest-tmp", ...env };
  return [
    `MODULES=${quoted(path.join(kernel, "lib/modules"))}`,
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`),
    `run_command() { cd ${quoted(folder)} && ${command.map(quoted).join(" ")}; }`,
    "",
  ].join("\n");
}

/** A kernel that panics says why above its registers and its stack, which are 60 lines and more. */
const lastLineCount = 120;

function lastLines(text: string): string {
  return text.trimEnd().split(/\r?\n/).slice(-lastLineCount).join("\n");
}

/** Text as one word of a shell's. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A file that goes when the last descriptor of it is closed. */
function namelessFile(content: Uint8Array): number {
  const folder = mkdtempSync(path.join(tmpdir(), "weft-guest-"));
  try {
    const file = path.join(folder, "file");
    writeFileSync(file, content);
    return openSync(file, "r+");
  } finally {
    rmSync(folder, { recursive: true });
  }
}
