import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { weftProgram } from "../cli/weft-program.ts";
import { type TestNetns, withNetns } from "../netns-fixture.ts";
import { ConsoleSession } from "./console-session.ts";

/** The host and another machine, with a wire between them. */
function connect(host: TestNetns, other: TestNetns): void {
  host.exec("ip", "link", "set", "lo", "up");
  host.exec("ip", "link", "add", "up0", "type", "veth", "peer", "name", "wire0", "netns", other.path);
  host.exec("ip", "address", "add", "192.0.2.1/24", "dev", "up0");
  host.exec("ip", "link", "set", "up0", "up");
  other.exec("ip", "address", "add", "192.0.2.2/24", "dev", "wire0");
  other.exec("ip", "link", "set", "wire0", "up");
}

/** A host with weft's usual folders and `weft` on its PATH, and another machine beside it, with somebody at each. */
export async function withHost(
  work: (sessions: Readonly<Record<string, ConsoleSession>>, host: TestNetns) => Promise<void>,
): Promise<void> {
  await withNetns(["host", "other"], async ({ host, other }) => {
    connect(host, other);
    const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "weft-readme-")));
    const bin = path.join(folder, "bin");
    mkdirSync(bin);
    const weft = path.join(bin, "weft");
    writeFileSync(weft, `#!/bin/sh\nexec '${process.execPath}' '${weftProgram}' "$@"\n`, { mode: 0o755 });
    const init = { cwd: folder, env: { PATH: `${bin}:${process.env.PATH}`, HOME: folder } };
    // The folders that weft has on every host are this host's own.
    const prepare = "mount -t tmpfs none /run && mount -t tmpfs none /var/lib";
    const sessions = {
      "": new ConsoleSession(host, { ...init, prepare }),
      other: new ConsoleSession(other, init),
    };
    try {
      await work(sessions, host);
    } finally {
      await sessions[""].type("weft down --purge > /dev/null 2>&1");
      for (const session of Object.values(sessions)) await session.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
