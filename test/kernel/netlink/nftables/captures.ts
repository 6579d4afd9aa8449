import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type NetlinkMessage, readMessages } from "../../../../src/kernel/netlink/message.ts";

/** The repository's root: the tests run from dist/, the fixtures are read from test/. */
function repositoryRoot(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (existsSync(file) && readFileSync(file, "utf8").includes('"name": "weft"')) return folder;
  }
  throw new Error("no package.json of weft above the test");
}

export const fixtureFolder = join(repositoryRoot(), "test/fixtures/nftables");

/** What the real nft sent for a rule set, and how it listed it afterwards. */
export interface Capture {
  readonly messages: readonly NetlinkMessage[];
  readonly listing: string | undefined;
}

interface CaptureFile {
  readonly messages: readonly string[];
  readonly listing?: string;
}

/** Reads test/fixtures/nftables/NAME.json, which test/fixtures/capture-nftables.mjs wrote. */
export function readCapture(name: string): Capture {
  const text = readFileSync(join(fixtureFolder, `${name}.json`), "utf8");
  const file = JSON.parse(text) as CaptureFile; // written by the script in that form
  const messages = file.messages.flatMap((hex) => [...readMessages(Buffer.from(hex, "hex"))]);
  return { messages, listing: file.listing };
}
