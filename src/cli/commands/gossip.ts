import { type Command, Option } from "commander";
import type { Context } from "../context.ts";
import { ExitError } from "../failures.ts";
import { type AgentOptions, runAgent } from "../gossip-agent.ts";
import { askAgent, type ControlCalls, type KeysAnswer } from "../gossip-control.ts";
import { keyLines, memberListing, tableListing } from "../gossip-listing.ts";
import { addFormatOption } from "../options/format-option.ts";
import { type Listing, listingRenderer } from "../text/listing.ts";

/** Where an agent answers when nothing else is said. */
const defaultSocket = "/run/weft/gossip.sock";

const many = (value: string, before: readonly string[]) => [...before, value];

interface AskOptions {
  readonly socket: string;
  readonly format?: string;
}

/** `weft gossip …`: a debugging agent that takes part in a cluster, and questions to it. */
export function gossipCommand(command: Command, context: Context): void {
  agentCommand(command.command("agent"));
  listCommand(command.command("members"), context, "members", memberListing).description(
    "List the members as the agent sees them",
  );
  keysCommand(command.command("keys"), context);
  listCommand(command.command("tables"), context, "tables", tableListing).description(
    "List the entries of the network database's tables",
  );
}

function agentCommand(command: Command): void {
  addSocketOption(command)
    .description("Run an agent in the foreground; it leaves the cluster when it is interrupted")
    .option("--bind <address:port>", "where to listen, UDP and TCP", "0.0.0.0:7946")
    .option("--advertise <address:port>", "what others are told, when it is not where the agent listens")
    .option("--name <name>", "unique in the cluster; the host's name without it")
    .option("--join <address:port>", "a member of the cluster; may be given often", many, [])
    .option("--encrypt <key>", "base64 of 16, 24 or 32 bytes, as `serf keygen` prints it")
    .option("--keyring-file <path>", "keeps the keys, as Serf does; what it has goes before --encrypt")
    .option("--mode <mode>", "serf: among Serf's agents; networkdb: as libnetwork's peers", "serf")
    .option("--profile <profile>", "lan, wan or local: how fast everything goes", "lan")
    .option("--label <label>", "keeps clusters apart that can reach each other")
    .option("--tag <name=value>", "told to all members; may be given often", many, [])
    .option("--network <id>", "networkdb: a network to come to; may be given often", many, [])
    .option("--entry <network/table/key=value>", "networkdb: an entry to write; may be given often", many, [])
    .option("--reconnect-interval <seconds>", "how often failed members are tried again")
    .option("--quiet", "tell nothing but warnings")
    .action((options: AgentOptions) => runAgent(options));
}

/** A question whose answer is a list. */
function listCommand<Call extends "members" | "tables">(
  command: Command,
  context: Context,
  call: Call,
  listing: Listing<ControlCalls[Call]["answer"][number]>,
): Command {
  return addFormatOption(addSocketOption(command)).action(async (options: AskOptions) => {
    const render = listingRenderer(listing, options);
    await context.print(render(await askAgent<Call>(options.socket, { call }), 0));
  });
}

function keysCommand(command: Command, context: Context): void {
  command.description("The keys of the whole cluster");
  const ask = async (operation: "list" | "install" | "use" | "remove", key: string, options: AskOptions) =>
    report(await askAgent<"keys">(options.socket, { call: "keys", operation, key }), options, context);
  addKeyOptions(command.command("list"))
    .description("List the keys, and how many members have each")
    .action((options: AskOptions) => ask("list", "", options));
  const about = {
    install: "Let every member open with a key too",
    use: "Let every member seal with a key that is installed",
    remove: "Let every member forget a key that none seals with",
  } as const;
  for (const operation of ["install", "use", "remove"] as const)
    addKeyOptions(command.command(operation))
      .description(about[operation])
      .argument("<key>", "in base64")
      .action((key: string, options: AskOptions) => ask(operation, key, options));
}

function addSocketOption(command: Command): Command {
  return command.option("--socket <path>", "where the agent answers", defaultSocket);
}

function addKeyOptions(command: Command): Command {
  return addSocketOption(command).addOption(
    new Option("-f, --format <format>", "json, for programs").choices(["json"]),
  );
}

/** Not all members did it: then the exit status says so. */
async function report(answer: KeysAnswer, { format }: AskOptions, context: Context): Promise<void> {
  await context.print(format === "json" ? `${JSON.stringify(answer)}\n` : keyLines(answer));
  if (answer.Answered < answer.Members || Object.keys(answer.Failures).length > 0) throw new ExitError(1);
}
