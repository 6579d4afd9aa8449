// Reads the whole store in the folder that it is given, and prints what it found as a line of JSON. It is a
// process of its own since LMDB may end whichever reads a damaged file, by SIGSEGV or SIGBUS.
import { writeSync } from "node:fs";
import { open } from "lmdb";
import { messageOf } from "../core/index.ts";
import type { CheckAnswer, CheckedStore } from "./checked-store.ts";
import { checkKey } from "./key.ts";
import { refuseDamaged } from "./lmdb-database.ts";
import { isVersion } from "./schema.ts";
import { decodeValue } from "./value.ts";

function check(folder: string): CheckedStore {
  const root = open<string, string>(folder, {
    encoding: "string",
    noSubdir: false,
    maxDbs: 2,
    readOnly: true,
  });
  // Both are there in every store that was ever filled; lmdb gives undefined for one that is not.
  const options = { encoding: "string", create: false } as const;
  const meta: ReturnType<typeof root.openDB<string, string>> | undefined = root.openDB("meta", options);
  const data: typeof meta = root.openDB("data", options);
  if (meta === undefined || data === undefined) throw new Error("it has none of weft's tables");
  refuseDamaged(root, [data, meta]);
  const schema = Number(meta.get("schema"));
  const revision = Number(meta.get("revision") ?? "0");
  if (!isVersion(schema) || !Number.isSafeInteger(revision)) throw new Error("its own facts make no sense");
  let entries = 0;
  for (const { key, value } of data.getRange({})) {
    checkKey(key);
    decodeValue(key, value);
    entries++;
  }
  return { schema, revision, entries };
}

function answer(): CheckAnswer {
  try {
    return check(process.argv[2] ?? "");
  } catch (error) {
    return { error: messageOf(error) };
  }
}

writeSync(1, `${JSON.stringify(answer())}\n`);
