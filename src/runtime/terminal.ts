import { readSync } from "node:fs";
import type { OnReadOpts, SocketConstructorOpts } from "node:net";
import { Readable, type Writable } from "node:stream";
import { ReadStream } from "node:tty";
import { messageOf, WeftError } from "../core/index.ts";
import { isKernelError } from "../kernel/kernel-error.ts";
import * as sys from "../kernel/syscalls.ts";
import { terminalFd } from "./init-protocol.ts";
import { openProcess, type ProcessIdentity } from "./process-identity.ts";
import { checkWindowSize } from "./window-size.ts";

/** The master side of a command's terminal: what a person's terminal window is to a shell. */
export class Terminal {
  readonly #fd: number;
  readonly #stream: ReadStream;
  /** What the command prints; ends when the last process has closed the terminal. */
  readonly output: Readable;

  private constructor(fd: number) {
    this.#fd = fd;
    // A stream of Node's drops what it has buffered when the kernel ends the output by EIO; this one buffers nothing.
    const buffer = Buffer.allocUnsafeSlow(readBytes);
    const callback = (length: number) => this.output.push(Buffer.from(buffer.subarray(0, length)));
    // Node's types know this option of sockets that connect only; a terminal's stream passes it on to the same place.
    const options: SocketConstructorOpts & { readonly onread: OnReadOpts } = { onread: { buffer, callback } };
    this.#stream = new ReadStream(fd, options);
    this.output = outputOf(this.#stream, fd);
  }

  /**
   * The terminal of a command that was started with one, and keeps it ({@link TerminalInit.kept}) if this program
   * is not the one that started it. Two that read from it share the output between them. Throws COMMAND_ENDED, and
   * LAUNCH when the command has closed its side.
   */
  static of(command: ProcessIdentity): Terminal {
    const pidfd = openProcess(command);
    if (pidfd === undefined) {
      throw new WeftError("COMMAND_ENDED", `the command with pid ${command.pid} has ended`);
    }
    try {
      return new Terminal(fetchMaster(pidfd, command.pid));
    } finally {
      sys.close(pidfd);
    }
  }

  /** What is typed. */
  get input(): Writable {
    return this.#stream;
  }

  /** Tells the command that the window has another size, in characters. Throws INVALID_COMMAND. */
  resize(columns: number, rows: number): void {
    checkWindowSize(columns, rows);
    if (!this.#stream.destroyed) sys.setWindowSize(this.#fd, columns, rows);
  }

  /** Closes this program's end. The command is hung up unless it keeps its terminal. */
  close(): void {
    this.#stream.destroy();
    this.output.destroy();
  }
}

function fetchMaster(pidfd: number, pid: number): number {
  let fd: number;
  try {
    fd = sys.pidfdGetfd(pidfd, terminalFd);
  } catch (error) {
    if (isKernelError(error, "ESRCH"))
      throw new WeftError("COMMAND_ENDED", `the command with pid ${pid} has ended`);
    throw new WeftError(
      "LAUNCH",
      `cannot reach the terminal of the command with pid ${pid}: ${messageOf(error)}`,
    );
  }
  if (sys.terminalNumber(fd) !== undefined) return fd;
  sys.close(fd); // the command has put something else there
  throw new WeftError("LAUNCH", `the command with pid ${pid} has closed its terminal`);
}

/** The kernel gives at most 4,095 bytes of a terminal's output at once. */
const readBytes = 4096;

/** What `stream` reads, pushed by its owner. The kernel ends a terminal's output by EIO, where other streams just end. */
function outputOf(stream: ReadStream, fd: number): Readable {
  const output = new Readable({
    read: () => stream.resume(),
    destroy: (error, done) => {
      stream.destroy();
      done(error);
    },
  });
  stream.on("error", () => {}); // nothing but EIO comes of a terminal
  stream.once("end", () => readRest(fd, output));
  stream.once("close", () => output.push(null));
  return output;
}

/**
 * libuv takes a hang-up for the end although the kernel still has output, a few pages at most, whenever a read did
 * not fill its buffer.
 */
function readRest(fd: number, output: Readable): void {
  const chunk = Buffer.alloc(readBytes);
  try {
    for (let length = -1; length !== 0; ) {
      length = readSync(fd, chunk);
      if (length > 0) output.push(Buffer.from(chunk.subarray(0, length)));
    }
  } catch {
    // EIO: that was all
  }
}
