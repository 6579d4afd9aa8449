import { Readable, Writable } from "node:stream";
import type { HostService } from "../../src/api/index.ts";
import type { RuntimeDoor } from "../../src/cli/foreground/runtime-door.ts";
import { runCli } from "../../src/cli/run-cli.ts";
import type { Surroundings, Terminals } from "../../src/cli/surroundings.ts";
import { type Call, fakeService } from "../api/fake-service.ts";
import { withServer } from "../api/http-fixture.ts";

/** What a command line came to. */
export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What the daemon was asked. */
  readonly calls: readonly Call[];
}

/** How a test uses the command line. */
export interface Use {
  /** Other answers of the daemon for single methods. */
  readonly service?: Partial<HostService>;
  /** What is typed. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Which streams are a terminal; none without. */
  readonly terminal?: { readonly stdin: boolean; readonly stdout: boolean };
  /** False for one who may use the daemon's socket, and is not root; true without. */
  readonly isRoot?: boolean;
  /** How large the terminal is; 100 by 30 without. */
  readonly size?: () => Terminals["size"];
  /** Is given the stream that weft prints to, which tells of another size by the event `resize`. */
  readonly onStdout?: (stdout: Writable) => void;
  readonly runtime?: RuntimeDoor;
}

/** Noon of the day of the samples' times. */
export const now = Date.parse("2026-11-21T19:07:06.123Z");

/** Uses the command line with a daemon that answers with samples, over a real socket. */
export async function weft(argv: readonly string[], use: Use = {}): Promise<Outcome> {
  const { service, calls } = fakeService(use.service);
  let outcome: Outcome | undefined;
  await withServer(service, async ({ socketPath }) => {
    outcome = { ...(await weftAt(socketPath, argv, use)), calls };
  });
  if (outcome === undefined) throw new Error("the server was not used");
  return outcome;
}

/** Uses the command line with whatever is at `socketPath`. */
export async function weftAt(
  socketPath: string,
  argv: readonly string[],
  use: Use = {},
): Promise<Omit<Outcome, "calls">> {
  const stdout = new Collector();
  const stderr = new Collector();
  const { runtime } = use;
  use.onStdout?.(stdout);
  const surroundings: Surroundings = {
    env: { WEFT_SOCKET: socketPath, ...use.env },
    stdin: Readable.from(use.input === undefined ? [] : [Buffer.from(use.input)]),
    stdout,
    stderr,
    terminals: () => ({
      ...(use.terminal ?? { stdin: false, stdout: false }),
      size: use.size?.() ?? { columns: 100, rows: 30 },
    }),
    cwd: () => "/home/me/here",
    isRoot: () => use.isRoot ?? true,
    now: () => now,
    ...(runtime !== undefined && { runtime: async () => runtime }),
  };
  const status = await runCli(argv, surroundings);
  return { status, stdout: stdout.text, stderr: stderr.text };
}

class Collector extends Writable {
  text = "";

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString("utf8");
    done();
  }
}
