import assert from "node:assert/strict";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { runAll } from "../../src/core/index.ts";
import {
  Controller,
  type ControllerEvent,
  type ControllerOptions,
  Launcher,
  type Sandbox,
  type SandboxProcess,
  type StdioInit,
} from "../../src/index.ts";
import { unmountPrivateFolder } from "../../src/kernel/index.ts";
import { type TestNetns, withNetns } from "../netns-fixture.ts";
import { Agent, agentCommand, agentProcessOf } from "./agent.ts";

/** What the host's resolv.conf says in these tests, whatever the machine's own says. */
export const hostResolvConf = "nameserver 192.0.2.53\nsearch example.test\n";

/** A network namespace that plays a host with weft on it, and two that play neighbours of the host. */
export interface TestHost {
  readonly netns: TestNetns;
  /** Not joined to the host unless a test does so; nor is {@link far}. */
  readonly outside: TestNetns;
  /** A second neighbour. */
  readonly far: TestNetns;
  /** Where the controller keeps everything. */
  readonly root: string;
  /** A folder for the test's own files. */
  readonly folder: string;
  readonly options: ControllerOptions;
  readonly launcher: Launcher;
  /** What weft has put right by itself so far. */
  readonly repaired: readonly string[];
  /** The controller that is open; the first one, or that of the last {@link open}. */
  readonly controller: Controller;
  /** Opens a controller again, after the former one was closed or its process was killed. */
  open(): Promise<Controller>;
  /** Starts an agent in a sandbox or in one of the namespaces; it ends with the test. */
  agent(where: Sandbox | TestNetns): Promise<Agent>;
  /** Starts a command in a sandbox; it is killed when the test ends, if it still runs. */
  run(sandbox: Sandbox, command: readonly string[], stdio?: StdioInit): Promise<SandboxProcess>;
  /** Runs a command in a sandbox to its end and gives what it printed. Throws when it fails. */
  output(sandbox: Sandbox, ...command: readonly string[]): Promise<string>;
}

/**
 * Runs `work` with a host of its own. Afterwards all of it is purged, and it fails when anything is left
 * in the host's namespace or of the root folder. `opened` is false for tests that open the controller themselves.
 */
export async function withHost(
  work: (host: TestHost) => Promise<void>,
  {
    opened = true,
    selfRepair = false,
    keepBridgeNetfilter = true,
    tolerated = [],
    prepare,
  }: {
    readonly opened?: boolean;
    /** Tests that look at what drifts repair it themselves. */
    readonly selfRepair?: boolean;
    /** Tests that are about it set br_netfilter themselves. */
    readonly keepBridgeNetfilter?: boolean;
    /** What may happen by itself in the test; whatever else does fails it. */
    readonly tolerated?: readonly ControllerEvent["event"][];
    readonly prepare?: (host: TestHost) => Promise<void>;
  } = {},
): Promise<void> {
  await withNetns(["host", "outside", "far"], async ({ host: netns, outside, far }) => {
    const host = new Host(netns, outside, far, { selfRepair, keepBridgeNetfilter }, tolerated);
    let failed = true;
    try {
      await host.launcher.start();
      await prepare?.(host);
      if (opened) await host.open();
      await work(host);
      failed = false;
    } finally {
      try {
        // What failed first is what the reader needs to see.
        await host.end().catch((error: unknown) => {
          if (!failed) throw error;
        });
        if (!failed) assert.deepEqual(host.leftovers(), []);
      } finally {
        host.discard();
      }
    }
  });
}

class Host implements TestHost {
  readonly netns: TestNetns;
  readonly outside: TestNetns;
  readonly far: TestNetns;
  readonly folder = mkdtempSync(join(realpathSync(tmpdir()), "weft-e2e-"));
  readonly root = join(this.folder, "root");
  readonly launcher = new Launcher();
  readonly options: ControllerOptions;
  readonly repaired: string[] = [];
  readonly #agents: Agent[] = [];
  readonly #commands: SandboxProcess[] = [];
  readonly #events: string[] = [];
  readonly #tolerated: readonly ControllerEvent["event"][];
  #controller: Controller | undefined;

  constructor(
    netns: TestNetns,
    outside: TestNetns,
    far: TestNetns,
    options: Pick<ControllerOptions, "selfRepair" | "keepBridgeNetfilter">,
    tolerated: readonly ControllerEvent["event"][],
  ) {
    this.#tolerated = tolerated;
    this.netns = netns;
    this.outside = outside;
    this.far = far;
    const resolvConf = join(this.folder, "resolv.conf");
    writeFileSync(resolvConf, hostResolvConf);
    this.options = {
      root: this.root,
      hostNetns: netns.path,
      resolvConf,
      ...options,
      defaultAddressPools: [{ base: "10.0.0.0/8", size: 24 }],
    };
    for (const one of [netns, outside, far]) one.exec("ip", "link", "set", "lo", "up");
  }

  get controller(): Controller {
    if (this.#controller === undefined) throw new Error("no controller was opened");
    return this.#controller;
  }

  async open(): Promise<Controller> {
    const controller = await Controller.open({
      ...this.options,
      onEvent: (event) => {
        if (event.event === "repaired" && event.failures.length === 0) this.repaired.push(...event.what);
        else if (!this.#tolerated.includes(event.event))
          this.#events.push(`${event.event}: ${"error" in event ? String(event.error) : ""}`);
      },
    });
    this.#controller = controller;
    return controller;
  }

  async agent(where: Sandbox | TestNetns): Promise<Agent> {
    const agent = await Agent.start(
      "exec" in where ? this.#agentIn(where) : await this.#agentInSandbox(where),
    );
    this.#agents.push(agent);
    return agent;
  }

  #agentIn(netns: TestNetns) {
    const [program = "", ...args] = agentCommand;
    return agentProcessOf(netns.start(program, args, { stdio: ["pipe", "pipe", "inherit"] }));
  }

  async #agentInSandbox(sandbox: Sandbox) {
    const { stdin, stdout, exited } = await this.#start(sandbox, agentCommand, {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    assert.ok(stdin !== undefined && stdout !== undefined);
    return { stdin, stdout, exited };
  }

  async run(sandbox: Sandbox, command: readonly string[], stdio: StdioInit = {}): Promise<SandboxProcess> {
    const process = await this.#start(sandbox, command, stdio);
    this.#commands.push(process);
    return process;
  }

  #start(sandbox: Sandbox, command: readonly string[], stdio: StdioInit): Promise<SandboxProcess> {
    const { key: netnsPath, files } = sandbox;
    const { hostname } = sandbox.info();
    // Privileged: the tests' commands change links, and attack, as no command could that has less.
    const init = { netnsPath, files, command, stdio, privileged: true };
    return this.launcher.run(hostname === "" ? init : { ...init, hostname });
  }

  async output(sandbox: Sandbox, ...command: readonly string[]): Promise<string> {
    const { stdout, stderr, exited } = await this.#start(sandbox, command, {
      stdout: "pipe",
      stderr: "pipe",
    });
    assert.ok(stdout !== undefined && stderr !== undefined);
    const [printed, complaint, { code }] = await Promise.all([text(stdout), text(stderr), exited]);
    assert.equal(code, 0, `${command.join(" ")}: ${complaint}`);
    return printed;
  }

  async end(): Promise<void> {
    await runAll("end of the test", [
      ...this.#commands.map((command) => async () => {
        command.kill("SIGKILL");
        await command.exited;
        for (const stream of [command.stdin, command.stdout, command.stderr]) stream?.destroy();
      }),
      ...this.#agents.map((agent) => () => agent.end()),
      () => this.launcher.close(),
      () => this.#purge(),
    ]);
    assert.deepEqual(this.#events, []);
  }

  /** A controller that the test has closed is opened once more, for what it made has to go. */
  async #purge(): Promise<void> {
    if (this.#controller === undefined && !existsSync(this.root)) return;
    const isClosed = (error: unknown) =>
      error instanceof Error && "code" in error && error.code === "CONTROLLER_CLOSED";
    const controller = this.#controller ?? (await this.open());
    await controller.purge().catch(async (error: unknown) => {
      if (!isClosed(error)) throw error;
      if (existsSync(this.root)) await (await this.open()).purge();
    });
  }

  /** What is left of weft; looked for when everything was purged. Links that a test made itself are called `up0`, `up1`. */
  leftovers(): readonly string[] {
    return [
      ...linksIn(this.netns).filter((link) => link !== "lo" && !/^up\d$/.test(link)),
      ...lines(this.netns.exec("nft", "list", "tables")),
      ...lines(readFileSync("/proc/self/mountinfo", "utf8")).filter((line) => line.includes(this.folder)),
      ...(existsSync(this.root) ? [this.root] : []),
    ];
  }

  /** Removes the folder, and the mount that a failed test leaves in it. */
  discard(): void {
    unmountPrivateFolder(join(this.root, "run"));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Writes the host's resolv.conf anew, as programs that manage it do: another file takes its place. */
export function setHostResolvConf({ options, folder }: TestHost, text: string): void {
  const { resolvConf } = options;
  assert.ok(resolvConf !== undefined);
  writeFileSync(join(folder, "resolv.conf.new"), text);
  renameSync(join(folder, "resolv.conf.new"), resolvConf);
}

/** The names of all links of a namespace. */
export function linksIn(netns: TestNetns): readonly string[] {
  const links = JSON.parse(netns.exec("ip", "-json", "link")) as readonly { readonly ifname: string }[]; // ip's format
  return links.map(({ ifname }) => ifname).sort();
}

/** The lines of a text that are not empty. */
export function lines(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}
