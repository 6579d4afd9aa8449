import { fchownSync } from "node:fs";
import os from "node:os";
import { messageOf, WeftError } from "../core/index.ts";
import * as sys from "../kernel/syscalls.ts";
import { type TerminalOrder, terminalFd } from "./init-protocol.ts";
import { isThere } from "./mount-table.ts";
import { makeFile } from "./root-folder.ts";

/**
 * Makes a terminal of the sandbox's own the three streams and the controlling terminal of this process, which
 * must lead a session. Its master side is at {@link terminalFd} and goes with exec. Throws LAUNCH.
 */
export function openTerminal({ columns, rows }: TerminalOrder, uid: number): void {
  try {
    const master = sys.open("/dev/ptmx", sys.O_RDWR | sys.O_NOCTTY);
    const peer = sys.openTerminalPeer(master);
    sys.setWindowSize(peer, columns, rows);
    fchownSync(peer, uid, -1);
    sys.takeTerminal(peer);
    for (const stream of [0, 1, 2]) sys.dup3(peer, stream, 0);
    showConsole(sys.terminalNumber(master));
    if (peer > 2) sys.close(peer);
    sys.dup3(master, terminalFd, sys.O_CLOEXEC);
    sys.close(master);
  } catch (error) {
    throw new WeftError("LAUNCH", `cannot make a terminal: ${messageOf(error)}`);
  }
}

/** A /dev of the sandbox's own has no console yet. */
function showConsole(number: number | undefined): void {
  if (isThere("/dev/console") || !makeFile("/dev/console")) return;
  sys.mount(`/dev/pts/${number}`, "/dev/console", null, sys.MS_BIND, null);
}

/**
 * Puts this process into a group of its own, in the foreground of the terminal that is its stdin: what is typed
 * to end or stop it reaches the command and not its caller, and a shell finds itself where it expects to be.
 */
export function comeToForeground(): void {
  // The kernel stops a process of the background that does this, unless it blocks SIGTTOU (tcsetpgrp(3)).
  sys.blockSignals([os.constants.signals.SIGTTOU]);
  sys.ownProcessGroup();
  sys.setForegroundGroup(0, sys.processGroup());
}
