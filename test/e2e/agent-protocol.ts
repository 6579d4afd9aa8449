/** A protocol by which one agent can be reached from another. */
export type Protocol = "tcp" | "udp" | "icmp";

/** A question to a name server, and where to ask it. */
export interface NameQuestion {
  readonly name: string;
  readonly type: "A" | "AAAA" | "PTR";
  readonly transport: "udp" | "tcp";
  readonly server: string;
}

/** What a name server answered. */
export interface NameAnswer {
  /** `NOERROR`, `NXDOMAIN`. */
  readonly rcode: string;
  /** The addresses or names, sorted. */
  readonly data: readonly string[];
}

/** An attempt to reach somebody; it is given up after `ms`. */
export interface Reach {
  readonly protocol: Protocol;
  readonly address: string;
  /** The port of TCP and UDP; {@link agentPort} when absent. */
  readonly port?: number;
  readonly ms: number;
}

/** What an agent can be asked to do: its arguments and its answer. */
export interface AgentCalls {
  /** Tries to reach another agent's server; answers the address that the other saw, or why it was not reached. */
  reach: { readonly args: Reach; readonly answer: { readonly seen: string } | { readonly failed: string } };
  /** Which sources have sent anything to this agent's server since the last time this was asked. */
  heard: { readonly args: Record<string, never>; readonly answer: readonly string[] };
  /** Asks a name server. */
  query: { readonly args: NameQuestion; readonly answer: NameAnswer };
  /** Looks a name up as programs do, by the C library; answers every address, sorted, or an error's code. */
  lookup: { readonly args: { readonly name: string }; readonly answer: readonly string[] | string };
  /** The text of a file as the agent sees it. */
  read: { readonly args: { readonly path: string }; readonly answer: string };
}

/** The name of something an agent can be asked to do. */
export type AgentCall = keyof AgentCalls;

/** A line to an agent. */
export type AgentRequest = {
  [Call in AgentCall]: { readonly id: number; readonly call: Call; readonly args: AgentCalls[Call]["args"] };
}[AgentCall];

/** A line from an agent. */
export interface AgentReply {
  readonly id: number;
  readonly answer?: unknown;
  /** Why the agent could not do it at all. */
  readonly error?: string;
}

/** The port of each agent's server, TCP and UDP. */
export const agentPort = 7777;
