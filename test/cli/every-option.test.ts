import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { suite, test } from "node:test";
import type { Command, Option } from "commander";
import { Context } from "../../src/cli/context.ts";
import { weftProgram } from "../../src/cli/program.ts";
import { weft } from "./cli-fixture.ts";

/** A command that does something, and the words that lead to it. */
interface Leaf {
  readonly path: readonly string[];
  readonly command: Command;
}

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
const context = new Context({
  env: {},
  stdin: process.stdin,
  stdout: nowhere,
  stderr: nowhere,
  terminals: () => ({ stdin: false, stdout: false, size: { columns: 80, rows: 24 } }),
  isRoot: () => true,
  cwd: () => "/",
  now: () => 0,
});

const leaves = leavesOf(await weftProgram(context, "all"), []);

function leavesOf(command: Command, path: readonly string[]): readonly Leaf[] {
  const below = command.commands.filter((one) => one.name() !== "help");
  if (below.length === 0) return [{ path, command }];
  return below.flatMap((one) => leavesOf(one, [...path, one.name()]));
}

/** The status of wrong usage: those that pass on another's keep their own apart. */
const wrongUsage = ({ path }: Leaf): number => (path[0] === "run" || path[0] === "exec" ? 125 : 2);

/** Operands that the command would take. */
function operandsOf({ command }: Leaf): readonly string[] {
  return command.registeredArguments.filter(({ required }) => required).map(() => "web");
}

/** Ends with the status of wrong usage and these words, and the daemon hears nothing. */
async function assertRefused(leaf: Leaf, words: readonly string[], why: RegExp): Promise<void> {
  const { status, stdout, stderr, calls } = await weft([...leaf.path, ...words]);
  assert.match(stderr, why);
  assert.match(stderr, /^weft: [^\n]+\n$/);
  assert.deepEqual({ status, stdout, calls }, { status: wrongUsage(leaf), stdout: "", calls: [] });
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

for (const leaf of leaves)
  suite(`weft ${leaf.path.join(" ")}`, () => {
    const { command, path } = leaf;
    const see = `see \`weft ${escaped(path.join(" "))} --help\``;

    test("refuses an option that it does not have", () =>
      assertRefused(
        leaf,
        ["--no-such-option", ...operandsOf(leaf)],
        new RegExp(`unknown option '--no-such-option'; ${see}`),
      ));

    const required = command.registeredArguments.filter((one) => one.required);
    if (required.length > 0)
      test("refuses to go without an operand that it needs", () =>
        assertRefused(
          leaf,
          required.slice(1).map(() => "web"),
          new RegExp(`missing required argument '${required.at(-1)?.name()}'; ${see}`),
        ));

    if (!command.registeredArguments.some(({ variadic }) => variadic))
      test("refuses an operand too many", () =>
        assertRefused(
          leaf,
          [...command.registeredArguments.map(({ argChoices }) => argChoices?.[0] ?? "web"), "more"],
          new RegExp(`too many arguments for '${path.at(-1)}'.*; ${see}`),
        ));

    for (const option of command.options.filter((one) => one.required))
      test(`refuses ${option.long} without a value`, () =>
        assertRefused(
          leaf,
          [nameOf(option)],
          new RegExp(`option '${escaped(option.flags)}' argument missing; ${see}`),
        ));
  });

function nameOf(option: Option): string {
  return option.long ?? option.short ?? "";
}
