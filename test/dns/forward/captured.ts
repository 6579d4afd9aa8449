import { readFixture } from "../../fixture-file.ts";

/** A query, and what a real server answered. */
export interface Captured {
  readonly server: string;
  readonly what: string;
  readonly edns: boolean;
  readonly query: Buffer;
  readonly reply: Buffer;
}

interface Written {
  readonly what: string;
  readonly edns: boolean;
  readonly query: string;
  readonly reply: string;
}

/** What nsd (which has the zone) and unbound (which asks nsd) answered; see test/fixtures/capture-dns.mjs. */
export function captured(): readonly Captured[] {
  return ["nsd", "unbound"].flatMap((server) => {
    const written = JSON.parse(readFixture(`dns/${server}.json`)) as readonly Written[]; // what the script writes
    return written.map(({ what, edns, query, reply }) => ({
      server,
      what,
      edns,
      query: Buffer.from(query, "hex"),
      reply: Buffer.from(reply, "hex"),
    }));
  });
}
