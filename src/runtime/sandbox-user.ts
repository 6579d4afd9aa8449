import { readFileSync } from "node:fs";
import { WeftError } from "../core/index.ts";

/** Who a command runs as, looked up. */
export interface FoundUser {
  readonly uid: number;
  readonly gid: number;
  /** Groups besides `gid`. */
  readonly groups: readonly number[];
  readonly home: string;
}

/** The text of /etc/passwd and /etc/group. */
export interface UserFiles {
  readonly passwd: string;
  readonly group: string;
}

/** What this process sees; empty for a file that is not there. */
export function userFiles(): UserFiles {
  return { passwd: textOf("/etc/passwd"), group: textOf("/etc/group") };
}

/** The highest number that Docker takes for a user or a group. */
const highestId = 2 ** 31 - 1;

/**
 * Who `NAME|UID[:GROUP|GID]` is, as Docker reads it: a number need not be in the files, and is in group 0 then;
 * with a group named, the user is in no other. Throws INVALID_COMMAND.
 */
export function findUser(text: string, files: UserFiles): FoundUser {
  const [userText = "", groupText = ""] = text.split(":");
  const wanted = userText === "" ? "0" : userText;
  // passwd(5): name, password, uid, gid, comment, home, shell.
  const entry = entriesOf(files.passwd).find(([name, , uid]) => name === wanted || uid === wanted);
  const uid = idOf(entry?.[2] ?? wanted);
  if (uid === undefined) throw unknown("user", wanted, "passwd");
  const home = entry?.[5] || "/";
  if (groupText !== "") return { uid, gid: findGroup(groupText, files), groups: [], home };
  const gid = idOf(entry?.[3] ?? "0") ?? 0;
  return { uid, gid, groups: entry?.[0] === undefined ? [] : groupsOf(entry[0], files), home };
}

function findGroup(wanted: string, { group }: UserFiles): number {
  const entry = entriesOf(group).find(([name, , gid]) => name === wanted || gid === wanted);
  const gid = idOf(entry?.[2] ?? wanted);
  if (gid === undefined) throw unknown("group", wanted, "group");
  return gid;
}

/** group(5): name, password, gid, members. */
function groupsOf(user: string, { group }: UserFiles): number[] {
  return entriesOf(group)
    .filter(([, , , members = ""]) => members.split(",").includes(user))
    .flatMap(([, , gid = ""]) => idOf(gid) ?? []);
}

function entriesOf(text: string): string[][] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));
}

function idOf(text: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const id = Number(text);
  if (id <= highestId) return id;
  throw new WeftError("INVALID_COMMAND", `uids and gids must be in range 0-${highestId}: ${text} is not`);
}

function unknown(what: string, name: string, file: string): WeftError {
  return new WeftError(
    "INVALID_COMMAND",
    `unable to find ${what} ${name}: no matching entries in ${file} file`,
  );
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
