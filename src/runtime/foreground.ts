import os from "node:os";
import * as sys from "../kernel/syscalls.ts";

/** This program's place in the foreground of its controlling terminal, lent to a command that reads from there. */
export class Foreground {
  readonly #group = sys.processGroup();

  private constructor() {}

  /** Undefined unless stdin is the controlling terminal and this program is in its foreground. */
  static ofStdin(): Foreground | undefined {
    return sys.foregroundGroup(0) === sys.processGroup() ? new Foreground() : undefined;
  }

  /** Takes the place back, so that what is typed reaches this program and the shell that started it. */
  comeBack(): void {
    // The kernel stops a process of the background that does this, unless it blocks SIGTTOU (tcsetpgrp(3)).
    sys.blockSignals([os.constants.signals.SIGTTOU]);
    try {
      sys.setForegroundGroup(0, this.#group);
    } catch {
      // The terminal was hung up.
    } finally {
      sys.unblockSignals();
    }
  }

  /** What `exited` settles with, after {@link comeBack}. Nobody has to listen for a rejection. */
  lentUntil<T>(exited: Promise<T>): Promise<T> {
    const back = exited.finally(() => this.comeBack());
    back.catch(() => {});
    return back;
  }
}
