import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { type CompletionShell, completionScript } from "../../../src/cli/completion/scripts.ts";
import { fakeService, sampleNetwork, sampleSummary } from "../../api/fake-service.ts";
import { withFolder, withServer } from "../../api/http-fixture.ts";
import { weftProgram } from "../weft-program.ts";

const service = {
  networks: () => ["web", "back"].map((Name) => ({ ...sampleNetwork, Name })),
  sandboxes: () => ["db", "dns"].map((Name) => ({ ...sampleSummary, Name })),
};

/** Prints what a shell offers behind each line that it is given. */
const askers: Readonly<
  Record<CompletionShell, (script: string, lines: readonly string[]) => readonly string[]>
> = {
  bash: (script, lines) => {
    const ask = `ask() {
      COMP_LINE=$1 COMP_POINT=\${#1} COMPREPLY=()
      _weft
      printf '%s|' "\${COMPREPLY[@]}"; echo
    }`;
    const asked = lines.map((line) => `ask '${line}'`);
    return ["bash", "--norc", "--noprofile", "-c", [`source ${script}`, ask, ...asked].join("\n")];
  },
  // No terminal, so what the script gives the shell is printed in place of being shown.
  zsh: (script, lines) => {
    const ask = `compdef() { : }
    compadd() { while [[ $1 != -- ]]; do shift; done; shift; printf '%s|' "$@" }
    compset() { return 1 }
    _files() { printf 'files%s|' "$*" }
    _command_names() { printf 'commands|' }
    ask() {
      words=("\${(@s: :)1}") CURRENT=\${#words}
      _weft; echo
    }`;
    const asked = lines.map((line) => `ask '${line}'`);
    return ["zsh", "-f", "-c", [ask, `source ${script}`, ...asked].join("\n")];
  },
  fish: (script, lines) => {
    const asked = lines.map(
      (line) => `complete -C '${line}' | string replace -r '\\t.*' '' | string join '|'; echo`,
    );
    return ["fish", "--no-config", "-c", [`source ${script}`, ...asked].join("\n")];
  },
};

const lines = [
  "weft netw",
  "weft network c",
  "weft network rm ",
  "weft run --network=w",
  "weft stop d",
  "weft up --root sub",
];

/** What comes of each line; bash replaces only what stands behind the last `=`. */
const offered: Readonly<Record<CompletionShell, readonly string[]>> = {
  bash: ["network|", "create|connect|", "web|back|", "web|", "db|dns|", "sub-folder|"],
  zsh: ["network|", "create|connect|", "web|back|", "--network=web|", "db|dns|", "files-/|"],
  fish: ["network", "connect|create", "back|web", "--network=web", "db|dns", "sub-folder/"],
};

for (const shell of ["bash", "zsh", "fish"] as const) {
  test(`a real ${shell} offers what weft tells it, names of networks and sandboxes too`, () =>
    withServer(fakeService(service).service, ({ socketPath }) =>
      withFolder(async (folder) => {
        const script = path.join(folder, "weft.script");
        writeFileSync(script, completionScript(shell));
        const weft = `#!/bin/sh\nexec ${process.execPath} ${weftProgram} "$@"\n`;
        writeFileSync(path.join(folder, "weft"), weft, { mode: 0o755 });
        mkdirSync(path.join(folder, "sub-folder"));
        const [program = "", ...args] = askers[shell](script, lines);
        const child = spawn(program, args, {
          cwd: folder,
          env: {
            PATH: `${folder}:${path.dirname(process.execPath)}:/usr/bin:/bin`,
            HOME: folder,
            WEFT_SOCKET: socketPath,
          },
          stdio: ["ignore", "pipe", "pipe"],
        });
        const [printed, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
        assert.equal(complaints, "");
        assert.deepEqual(
          printed
            .trimEnd()
            .split("\n")
            .map((line) => line.trim())
            .filter((line) => line !== ""),
          offered[shell],
        );
      }),
    ));
}
