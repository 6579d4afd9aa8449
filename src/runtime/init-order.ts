import { resolve } from "node:path";
import { isatty } from "node:tty";
import { messageOf, WeftError } from "../core/index.ts";
import { capabilityOrder, encodeCapabilities, everyCapability } from "./capabilities.ts";
import type { CommandInit, CommandUser, ExecInit, TerminalInit } from "./command.ts";
import type { InitOrder, NewPlace, Place, TerminalOrder } from "./init-protocol.ts";
import { checkWindowSize } from "./window-size.ts";

/** What the launcher adds to a caller's wishes. */
export interface OrderContext {
  /** Whether stdin is the caller's controlling terminal, with the caller in its foreground. */
  readonly foreground: boolean;
  readonly ownStreams: readonly number[];
}

/** Checks what a caller wants run and fills in what it left out. Throws INVALID_COMMAND, INVALID_CAPABILITY. */
export function orderOf(init: CommandInit, context: OrderContext): InitOrder {
  const place: NewPlace = {
    kind: "new",
    netnsPath: resolve(init.netnsPath),
    hostname: init.hostname,
    domainName: init.domainName,
    files: init.files.map(({ source, target }) => ({ source: resolve(source), target: absolute(target) })),
    rootfs: init.rootfs === undefined ? undefined : resolve(init.rootfs),
    readOnly: init.readOnly ?? false,
    privileged: init.privileged ?? false,
  };
  refuseNul([
    place.netnsPath,
    place.hostname ?? "",
    place.domainName ?? "",
    place.rootfs ?? "",
    ...place.files.flatMap(({ source, target }) => [source, target]),
  ]);
  const home = init.rootfs === undefined && !init.cwd?.startsWith("/") ? ownFolder() : "/";
  return basicOrder(init, place, home, undefined, context);
}

/** Refuses a command that could not be started as it is described, and starts none. Throws as {@link orderOf}. */
export function checkCommandInit(init: CommandInit): void {
  orderOf(init, { foreground: false, ownStreams: [] });
}

/**
 * {@link orderOf} for a command beside another, whose capabilities `base` says. Throws INVALID_COMMAND,
 * INVALID_CAPABILITY.
 */
export function joinOrderOf(init: ExecInit, base: bigint, context: OrderContext): InitOrder {
  return basicOrder(init, { kind: "joined" }, "/", base, context);
}

function basicOrder(
  init: CommandInit | ExecInit,
  place: Place,
  home: string,
  base: bigint | undefined,
  { foreground, ownStreams }: OrderContext,
): InitOrder {
  const { terminal, stdio } = init;
  const capabilities = init.privileged ? everyCapability : capabilityOrder(init.capabilities ?? {}, base);
  const order: InitOrder = {
    place,
    command: checkCommand(init.command),
    environment: environmentOf(init.environment ?? {}),
    cwd: resolve(home, init.cwd ?? ""),
    user: userText(init.user),
    capabilities: encodeCapabilities(capabilities),
    terminal: terminal === undefined ? undefined : terminalOrder(terminal),
    terminalType: terminal === undefined && stdio?.stdin !== "inherit" ? undefined : ownTerminalType(init),
    foreground,
    typingDenied: terminal === undefined && stdio?.stdin === "inherit" && init.privileged !== true,
    ownStreams,
    streams: undefined,
    held: terminal !== undefined || init.beforeStart !== undefined,
  };
  refuseNul([order.cwd, order.user, ...order.command, ...order.environment.map(([, value]) => value ?? "")]);
  return order;
}

/** A new terminal is what Docker's is; the caller's own is what the caller was told. */
function ownTerminalType({ terminal }: CommandInit | ExecInit): string | undefined {
  if (terminal !== undefined) return "xterm";
  return isatty(0) ? (process.env.TERM ?? "xterm") : undefined;
}

function terminalOrder({ columns = 80, rows = 24, kept = false }: TerminalInit): TerminalOrder {
  checkWindowSize(columns, rows);
  return { columns, rows, kept };
}

function ownFolder(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw invalid(`the caller's own working directory is gone: ${messageOf(error)}`);
  }
}

function checkCommand(command: readonly string[]): readonly string[] {
  const [program] = command;
  if (program === undefined || program === "") {
    throw invalid("no command: it should be a program and its arguments");
  }
  return command;
}

function environmentOf(variables: Readonly<Record<string, string | undefined>>): InitOrder["environment"] {
  return Object.entries(variables).map(([name, value]) => {
    if (name === "" || name.includes("=") || name.includes("\0")) {
      throw invalid(`invalid environment variable name ${JSON.stringify(name)}`);
    }
    return [name, value ?? null];
  });
}

function absolute(target: string): string {
  if (target.startsWith("/")) return resolve(target);
  throw invalid(`invalid file target ${JSON.stringify(target)}: it should be an absolute path`);
}

/** The highest number that a user or a group may have, as Docker has it. */
const highestId = 2 ** 31 - 1;

function userText(user: CommandUser | string | undefined): string {
  if (user === undefined) return "0";
  if (typeof user === "string") return user;
  for (const id of [user.uid, user.gid]) {
    if (!Number.isInteger(id) || id < 0 || id > highestId)
      throw invalid(`invalid user or group number ${id}`);
  }
  return `${user.uid}:${user.gid}`;
}

/** Texts end at a NUL in system calls: what lies behind it would be dropped unseen. */
function refuseNul(texts: readonly string[]): void {
  const bad = texts.find((text) => text.includes("\0"));
  if (bad !== undefined) throw invalid(`a NUL character in ${JSON.stringify(bad)}`);
}

function invalid(message: string): WeftError {
  return new WeftError("INVALID_COMMAND", message);
}
