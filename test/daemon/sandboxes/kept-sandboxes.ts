import { test } from "node:test";
import { SandboxCreate, type SandboxCreateInput } from "../../../src/api/index.ts";
import { RecordTable } from "../../../src/daemon/own-records.ts";
import { SandboxBook } from "../../../src/daemon/sandboxes/sandbox-book.ts";
import type { SandboxHappening } from "../../../src/daemon/sandboxes/sandbox-happening.ts";
import { SandboxKeeper } from "../../../src/daemon/sandboxes/sandbox-keeper.ts";
import type { SandboxRecord } from "../../../src/daemon/sandboxes/sandbox-record.ts";
import { seededRandom, TestClock } from "../../cnm/deterministic.ts";
import { type World, type WorldOptions, withTwin } from "../../cnm/world.ts";
import { FakeCommands } from "./fake-commands.ts";

/** A daemon's sandboxes on the kernel's twin, with commands of no kernel. */
export class KeptSandboxes {
  readonly world: World;
  readonly commands = new FakeCommands();
  readonly clock = new TestClock();
  readonly happenings: string[] = [];
  readonly errors: string[] = [];
  readonly #random = seededRandom("sandboxes");
  #book: SandboxBook | undefined;
  #keeper: SandboxKeeper | undefined;

  constructor(world: World) {
    this.world = world;
  }

  get book(): SandboxBook {
    if (this.#book === undefined) throw new Error("not opened");
    return this.#book;
  }

  get keeper(): SandboxKeeper {
    if (this.#keeper === undefined) throw new Error("not opened");
    return this.#keeper;
  }

  /** A daemon begins. */
  async open(): Promise<SandboxKeeper> {
    const { controller } = this.world;
    await controller.ensurePredefined({ bridge: {} });
    this.#book = new SandboxBook(new RecordTable<SandboxRecord>(controller.own("sandboxes")));
    this.#keeper = new SandboxKeeper({
      controller,
      book: this.#book,
      runner: this.commands,
      clock: this.clock,
      random: this.#random,
      tell: (one) => this.happenings.push(told(one)),
      onError: (what, error) =>
        this.errors.push(`${what}: ${error instanceof Error ? error.message : error}`),
    });
    await this.#keeper.restore();
    return this.#keeper;
  }

  /** The daemon is killed and another begins; commands run on. */
  async crash(): Promise<SandboxKeeper> {
    await this.#keeper?.close();
    await this.world.kill();
    return this.open();
  }

  /** The sandboxes that the model has, by name. */
  modelled(): readonly string[] {
    return this.world.controller
      .sandboxes()
      .map(({ containerId }) => containerId)
      .sort();
  }

  record(name: string): SandboxRecord {
    return this.book.find(name);
  }
}

function told({ action, sandbox, facts = {} }: SandboxHappening): string {
  const words = Object.values(facts).join(" ");
  return words === "" ? `${action} ${sandbox.name}` : `${action} ${sandbox.name} ${words}`;
}

/** A request as a client's that was checked. */
export function request(facts: SandboxCreateInput): SandboxCreate {
  return SandboxCreate.parse(facts);
}

/** A request for a sandbox with a command. */
export function withCommand(name: string, facts: Partial<SandboxCreateInput> = {}): SandboxCreate {
  return request({ Name: name, Command: { Args: ["sleep", "60"] }, ...facts });
}

/** Runs `use` with a daemon's sandboxes on the twin. */
export function keptTest(
  name: string,
  use: (kept: KeptSandboxes) => Promise<void>,
  options: WorldOptions = {},
): void {
  test(name, () =>
    withTwin(async (world) => {
      await world.open();
      const kept = new KeptSandboxes(world);
      await kept.open();
      await use(kept);
      await kept.keeper.close();
    }, options),
  );
}
