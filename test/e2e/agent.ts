import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import {
  type AgentCall,
  type AgentCalls,
  type AgentReply,
  agentPort,
  type NameAnswer,
  type NameQuestion,
  type Protocol,
} from "./agent-protocol.ts";

/** The command that runs an agent, which is this for a namespace as test/e2e/agent-program.ts says. */
export const agentCommand: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL("./agent-program.js", import.meta.url)),
];

/** How long whoever can be reached may take to answer, ms; only a broken one takes it all. */
const patienceMs = 30_000;
/** How long it takes to believe that somebody cannot be reached, ms. */
const beliefMs = 500;

/** The process of an agent and its two pipes. */
export interface AgentProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly exited: Promise<unknown>;
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A program in a namespace that reaches others, is reached by them, and asks for names. */
export class Agent {
  readonly #process: AgentProcess;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #ended = false;

  private constructor(process: AgentProcess) {
    this.#process = process;
    const lines = createInterface({ input: process.stdout });
    lines.on("line", (line) => this.#take(JSON.parse(line) as AgentReply)); // agent-program.ts wrote it
    lines.once("close", () => {
      this.#ended = true;
      for (const { reject } of this.#waiting.values()) reject(new Error("the agent has ended"));
    });
  }

  /** Resolves once the agent's server listens. */
  static async start(process: AgentProcess): Promise<Agent> {
    const agent = new Agent(process);
    await new Promise<unknown>((resolve, reject) => agent.#waiting.set(0, { resolve, reject }));
    return agent;
  }

  /** Asks it to do something. */
  async ask<Call extends AgentCall>(
    call: Call,
    args: AgentCalls[Call]["args"],
  ): Promise<AgentCalls[Call]["answer"]> {
    if (this.#ended) throw new Error("the agent has ended");
    const id = ++this.#lastId;
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#process.stdin.write(`${JSON.stringify({ id, call, args })}\n`);
    return (await answer) as AgentCalls[Call]["answer"]; // agent-program.ts answers each call with its type
  }

  /** The source address that the agent at `address` sees when this one asks it. Throws when it cannot be reached. */
  async reach(address: string, protocol: Protocol = "tcp", port = agentPort): Promise<string> {
    const answer = await this.ask("reach", { address, protocol, port, ms: patienceMs });
    if ("failed" in answer) throw new Error(`${address} was not reached by ${protocol}: ${answer.failed}`);
    return answer.seen;
  }

  /** Why the agent at `address` cannot be reached; undefined when it can, after all. */
  async unreached(
    address: string,
    protocol: Protocol = "tcp",
    port = agentPort,
  ): Promise<string | undefined> {
    const answer = await this.ask("reach", { address, protocol, port, ms: beliefMs });
    return "failed" in answer ? answer.failed : undefined;
  }

  /** Asks the resolver that every sandbox has. */
  name(
    name: string,
    type: NameQuestion["type"] = "A",
    transport: NameQuestion["transport"] = "udp",
  ): Promise<NameAnswer> {
    return this.ask("query", { name, type, transport, server: "127.0.0.11" });
  }

  /** Ends the program, and waits until it is gone and its pipes are closed. */
  async end(): Promise<void> {
    const { stdin, stdout, exited } = this.#process;
    stdin.end();
    await exited;
    for (const stream of [stdin, stdout]) {
      if (stream.closed) continue;
      const closed = once(stream, "close");
      stream.destroy();
      await closed;
    }
  }

  #take({ id, answer, error }: AgentReply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(answer);
    else waiting?.reject(new Error(error));
  }
}

/** An agent's process as node:child_process started it, with pipes. */
export function agentProcessOf(child: ChildProcess): AgentProcess {
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("an agent needs pipes");
  return { stdin, stdout, exited: once(child, "exit") };
}
