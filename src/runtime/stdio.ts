import { existsSync, openSync, statSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { messageOf, WeftError } from "../core/index.ts";
import { isKernelError } from "../kernel/kernel-error.ts";
import * as sys from "../kernel/syscalls.ts";
import type { OutputInit, StdioInit } from "./command.ts";
import type { ChildFd } from "./thread-protocol.ts";

/** The caller's ends of a command's pipes; undefined where there is no pipe. */
export interface CallerStreams {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
}

/** A command's standard streams, opened. */
export interface OpenStdio {
  /** Those that were opened for the command alone. */
  readonly own: readonly number[];
  /** What the child gets. */
  readonly child: readonly [ChildFd, ChildFd, ChildFd];
  readonly streams: CallerStreams;
  /** Closes the child's ends here: once it has its own, or never will. */
  releaseChild(): void;
  /** Closes the caller's ends, of a command that never came to be. */
  destroyStreams(): void;
}

/** Opens what `init` asks for, all of it or nothing. Throws KernelError, INVALID_COMMAND. */
export function openStdio(init: StdioInit): OpenStdio {
  const owned: number[] = [];
  const streams: { stdin?: Writable; stdout?: Readable; stderr?: Readable } = {};
  const releaseChild = () => {
    for (const fd of owned.splice(0)) sys.close(fd);
  };
  const destroyStreams = () => {
    for (const stream of [streams.stdin, streams.stdout, streams.stderr]) stream?.destroy();
  };

  const input = (): ChildFd => {
    if (typeof init.stdin === "object") {
      const fd = openFifo(init.stdin.fifo);
      owned.push(fd);
      return fd;
    }
    if (init.stdin !== "pipe") return init.stdin === "inherit" ? 0 : "ignore";
    const { read, write } = sys.pipe();
    owned.push(read);
    streams.stdin = new Socket({ fd: write, readable: false, writable: true });
    return read;
  };
  const output = (name: "stdout" | "stderr", target: OutputInit, inherited: number): ChildFd => {
    if (target === "ignore") return target;
    if (target === "inherit") return inherited;
    if (target === "pipe") {
      const { read, write } = sys.pipe();
      owned.push(write);
      streams[name] = new Socket({ fd: read, readable: true, writable: false });
      return write;
    }
    const fd = openForAppending(target.file);
    owned.push(fd);
    return fd;
  };

  try {
    const child = [
      input(),
      output("stdout", init.stdout ?? "ignore", 1),
      output("stderr", init.stderr ?? "ignore", 2),
    ] as const;
    const { stdin, stdout, stderr } = streams;
    const own = child.flatMap((fd, stream) => (typeof fd === "number" && owned.includes(fd) ? [stream] : []));
    return { own, child, streams: { stdin, stdout, stderr }, releaseChild, destroyStreams };
  } catch (error) {
    releaseChild();
    destroyStreams();
    throw error;
  }
}

/** Makes a FIFO unless one is there, and opens it for reading and writing: so it never ends, and no open waits. */
function openFifo(path: string): number {
  try {
    if (!existsSync(path)) sys.mkfifo(path, 0o600);
    if (!statSync(path).isFIFO()) throw new Error("it is no FIFO");
    return sys.open(path, sys.O_RDWR);
  } catch (error) {
    throw new WeftError("INVALID_COMMAND", `cannot read input from ${path}: ${messageOf(error)}`);
  }
}

/**
 * Opens the input of a command whose stdin is a FIFO; `end` closes this end only, and the command's input goes
 * on. Throws COMMAND_ENDED when nobody reads there any more.
 */
export function openInput(path: string): Writable {
  let fd: number;
  try {
    fd = sys.open(path, sys.O_WRONLY | sys.O_NONBLOCK);
  } catch (error) {
    if (!isKernelError(error, "ENXIO", "ENOENT")) throw error;
    throw new WeftError("COMMAND_ENDED", `the command that read from ${path} has ended`);
  }
  return new Socket({ fd, readable: false, writable: true });
}

function openForAppending(path: string): number {
  try {
    return openSync(path, "a", 0o644);
  } catch (error) {
    throw new WeftError("INVALID_COMMAND", `cannot write output to ${path}: ${messageOf(error)}`);
  }
}
