import { chmodSync, chownSync, lstatSync, readFileSync, renameSync, rmSync, type Stats } from "node:fs";
import net from "node:net";
import path from "node:path";
import { WeftError } from "../../core/index.ts";

/** sun_path of unix(7) holds 108 bytes with the 0 that ends it. */
const longestPath = 107;
/** A socket gets its name when it has its owner and mode; until then it has this behind it. */
const suffix = ".new";

/** Who may use a socket. */
export interface SocketAccess {
  /** Permission bits. */
  readonly mode: number;
  /** The group that owns it, if there is one of that name; root without. */
  readonly group: string;
  /** Where groups are looked up. */
  readonly groupFile: string;
}

/**
 * Makes sure that `socketPath` is free for a new daemon, or belongs to a dead one. Throws SOCKET_IN_USE when
 * somebody listens there, and INVALID_SOCKET_PATH when no socket can be made there.
 */
export async function claimSocketPath(socketPath: string): Promise<void> {
  const most = longestPath - suffix.length;
  if (Buffer.byteLength(socketPath) > most)
    throw invalid(`the socket's path ${socketPath} is too long: at most ${most} bytes are possible`);
  const folder = path.dirname(socketPath);
  if (statOf(folder) === undefined)
    // listen(2) has ENOENT for it, of which libuv makes EACCES
    throw invalid(`the socket ${socketPath} cannot be made: the folder ${folder} is not there`);
  const found = statOf(socketPath);
  if (found === undefined) return;
  if (!found.isSocket())
    throw invalid(`${socketPath} is there and is no socket: remove it, or name another path`);
  if (await isAlive(socketPath))
    throw new WeftError("SOCKET_IN_USE", `a daemon is running and listens on ${socketPath}`);
}

/**
 * Lets `server` listen on `socketPath`, which it replaces: nobody sees a socket there that has not got its
 * owner and mode yet. Returns what takes the file away again, unless another has taken its place.
 */
export async function listenOnPath(
  server: net.Server,
  socketPath: string,
  access: SocketAccess,
  backlog: number,
): Promise<() => void> {
  const unnamed = socketPath + suffix;
  rmSync(unnamed, { force: true });
  await listening(server, () => {
    const umask = process.umask(0o177); // nobody connects before the file has its group and mode
    try {
      server.listen({ path: unnamed, backlog }); // makes the file before it returns
    } finally {
      process.umask(umask);
    }
  });
  try {
    chownSync(unnamed, 0, groupId(access));
    chmodSync(unnamed, access.mode);
    renameSync(unnamed, socketPath);
  } catch (error) {
    server.close(); // which removes the file
    throw error;
  }
  const own = statOf(socketPath);
  return () => {
    const now = statOf(socketPath);
    if (now !== undefined && now.ino === own?.ino && now.dev === own.dev) rmSync(socketPath, { force: true });
  };
}

/** Resolves when `server` listens after `listen`; throws what it could not. */
export function listening(server: net.Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      server.off("error", settle).off("listening", settle);
      if (error === undefined) resolve();
      else reject(error);
    };
    server.on("error", settle).on("listening", settle);
    listen();
  });
}

/** True when a connection is taken, or would be if there were less of them. */
function isAlive(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(socketPath);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) =>
      resolve(error.code !== "ECONNREFUSED" && error.code !== "ENOENT"),
    );
  });
}

/** The number of the group, from group(5): `name:password:number:members`. */
function groupId({ group, groupFile }: SocketAccess): number {
  for (const line of textOf(groupFile).split("\n")) {
    const [name, , id] = line.split(":");
    if (name === group && id !== undefined && /^\d+$/.test(id)) return Number(id);
  }
  return 0;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return ""; // node:fs throws nothing else
    throw error;
  }
}

function invalid(message: string): WeftError {
  return new WeftError("INVALID_SOCKET_PATH", message);
}

function statOf(file: string): Stats | undefined {
  return lstatSync(file, { throwIfNoEntry: false });
}
