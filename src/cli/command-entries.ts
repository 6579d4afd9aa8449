import type { Command } from "commander";
import type { Context } from "./context.ts";

/**
 * Gives a command its options and what it does. Of the commands below it only the one called `below` is needed; all
 * of them without, and when there is none of that name.
 */
export type Configure = (
  command: Command,
  context: Context,
  below?: string | undefined,
) => void | Promise<void>;

/** One of weft's commands, as its help lists it. Its own file is loaded only when it is asked for. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** The heading of the help that it stands under. */
  readonly heading: string;
  readonly load: () => Promise<Configure>;
}

const networks = "Networks:";
const sandboxes = "Sandboxes and their commands:";
const host = "This host:";
const daemon = "The daemon:";

/** The heading of what is left, the help itself among it. */
export const moreHeading = "More:";

/** All of weft's commands, in the order of the help. */
export const commandEntries: readonly CommandEntry[] = [
  {
    name: "network",
    summary: "Make, list, inspect, connect and remove networks",
    heading: networks,
    load: async () => (await import("./commands/network.ts")).networkCommand,
  },
  {
    name: "run",
    summary: "Run a command in a new sandbox",
    heading: sandboxes,
    load: async () => (await import("./commands/run.ts")).runCommand,
  },
  {
    name: "exec",
    summary: "Run a command in a sandbox that is there",
    heading: sandboxes,
    load: async () => (await import("./commands/exec.ts")).execCommand,
  },
  {
    name: "ps",
    summary: "List sandboxes",
    heading: sandboxes,
    load: async () => (await import("./commands/ps.ts")).psCommand,
  },
  {
    name: "logs",
    summary: "Print what a sandbox's command has printed",
    heading: sandboxes,
    load: async () => (await import("./commands/logs.ts")).logsCommand,
  },
  {
    name: "attach",
    summary: "Connect this terminal to a command in the background",
    heading: sandboxes,
    load: async () => (await import("./commands/attach.ts")).attachCommand,
  },
  {
    name: "start",
    summary: "Start the command of stopped sandboxes again, in the background",
    heading: sandboxes,
    load: async () => (await import("./commands/life.ts")).startCommand,
  },
  {
    name: "stop",
    summary: "End the command of sandboxes: SIGTERM, and SIGKILL after some seconds",
    heading: sandboxes,
    load: async () => (await import("./commands/life.ts")).stopCommand,
  },
  {
    name: "restart",
    summary: "Stop and start the command of sandboxes",
    heading: sandboxes,
    load: async () => (await import("./commands/life.ts")).restartCommand,
  },
  {
    name: "kill",
    summary: "Send a signal to the command of sandboxes",
    heading: sandboxes,
    load: async () => (await import("./commands/life.ts")).killCommand,
  },
  {
    name: "wait",
    summary: "Wait until the command of sandboxes has ended, and print its exit status",
    heading: sandboxes,
    load: async () => (await import("./commands/life.ts")).waitCommand,
  },
  {
    name: "rm",
    summary: "Remove sandboxes",
    heading: sandboxes,
    load: async () => (await import("./commands/life.ts")).rmCommand,
  },
  {
    name: "sandbox",
    summary: "Make, list, inspect and remove sandboxes, also of namespaces that something else made",
    heading: sandboxes,
    load: async () => (await import("./commands/sandbox.ts")).sandboxCommand,
  },
  {
    name: "plan",
    summary: "Print what a command would change in the kernel, and do nothing",
    heading: host,
    load: async () => (await import("./commands/plan.ts")).planCommand,
  },
  {
    name: "drift",
    summary: "Print where this host differs from what it should hold, and mend it",
    heading: host,
    load: async () => (await import("./commands/drift.ts")).driftCommand,
  },
  {
    name: "doctor",
    summary: "Print what this kernel and host offer, what is missing, and what to do about it",
    heading: host,
    load: async () => (await import("./commands/doctor.ts")).doctorCommand,
  },
  {
    name: "events",
    summary: "Print what happens, as it happens",
    heading: host,
    load: async () => (await import("./commands/events.ts")).eventsCommand,
  },
  {
    name: "metrics",
    summary: "Print the daemon's metrics in Prometheus' text format",
    heading: host,
    load: async () => (await import("./commands/metrics.ts")).metricsCommand,
  },
  {
    name: "up",
    summary: "Start the daemon in the background, and wait until it is ready",
    heading: daemon,
    load: async () => (await import("./commands/up.ts")).upCommand,
  },
  {
    name: "down",
    summary: "End the daemon; with --purge, remove everything that weft has made too",
    heading: daemon,
    load: async () => (await import("./commands/down.ts")).downCommand,
  },
  {
    name: "daemon",
    summary: "Run the daemon in the foreground",
    heading: daemon,
    load: async () => (await import("./commands/daemon.ts")).daemonCommand,
  },
  {
    name: "store",
    summary: "Back up, restore and check what the daemon has stored",
    heading: daemon,
    load: async () => (await import("./commands/store.ts")).storeCommand,
  },
  {
    name: "info",
    summary: "Print the daemon's folders and figures",
    heading: daemon,
    load: async () => (await import("./commands/info.ts")).infoCommand,
  },
  {
    name: "version",
    summary: "Print the versions of weft and of the daemon",
    heading: moreHeading,
    load: async () => (await import("./commands/version.ts")).versionCommand,
  },
  {
    name: "completion",
    summary: "Print a shell's completion script",
    heading: moreHeading,
    load: async () => (await import("./commands/completion.ts")).completionCommand,
  },
  {
    name: "gossip",
    summary: "Take part in a gossip cluster, to look into it",
    heading: moreHeading,
    load: async () => (await import("./commands/gossip.ts")).gossipCommand,
  },
];
