import { Command, Option } from "commander";
import { type AgentOptions, runAgent } from "./gossip-agent.ts";
import { askAgent, type KeysAnswer } from "./gossip-control.ts";
import { keyLines, memberLines, tableLines } from "./gossip-listing.ts";

/** Where an agent answers when nothing else is said. */
const defaultSocket = "/run/weft/gossip.sock";

const many = (value: string, before: readonly string[]) => [...before, value];
const socketOption = () => new Option("--socket <path>", "where the agent answers").default(defaultSocket);
const jsonOption = () => new Option("--json", "as JSON");

interface ListOptions {
  readonly socket: string;
  readonly json?: boolean;
}

/** `weft gossip`: a debugging agent that takes part in a cluster, and questions to it. */
export function gossipCommand(): Command {
  const gossip = new Command("gossip").description("take part in a gossip cluster, to look into it");
  gossip.addCommand(agentCommand());
  gossip.addCommand(membersCommand());
  gossip.addCommand(keysCommand());
  gossip.addCommand(tablesCommand());
  return gossip;
}

function agentCommand(): Command {
  return new Command("agent")
    .description("run an agent in the foreground; it leaves the cluster when it is interrupted")
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
    .addOption(socketOption())
    .action((options: AgentOptions) => runAgent(options));
}

function membersCommand(): Command {
  return new Command("members")
    .description("list the members as the agent sees them: name, address, status, tags")
    .addOption(socketOption())
    .addOption(jsonOption())
    .action(async ({ socket, json }: ListOptions) => {
      const members = await askAgent<"members">(socket, { call: "members" });
      print(json ? JSON.stringify(members, undefined, 2) : memberLines(members));
    });
}

function tablesCommand(): Command {
  return new Command("tables")
    .description("list the entries of the network database's tables")
    .addOption(socketOption())
    .addOption(jsonOption())
    .action(async ({ socket, json }: ListOptions) => {
      const entries = await askAgent<"tables">(socket, { call: "tables" });
      print(json ? JSON.stringify(entries, undefined, 2) : tableLines(entries));
    });
}

function keysCommand(): Command {
  const keys = new Command("keys").description("the keys of the whole cluster");
  const about = {
    install: "let every member open with a key too",
    use: "let every member seal with a key that is installed",
    remove: "let every member forget a key that none seals with",
  } as const;
  keys.addCommand(
    new Command("list")
      .description("list the keys, and how many members have each")
      .addOption(socketOption())
      .addOption(jsonOption())
      .action(async ({ socket, json }: ListOptions) => {
        const answer = await askAgent<"keys">(socket, { call: "keys", operation: "list", key: "" });
        report(answer, json);
      }),
  );
  for (const operation of ["install", "use", "remove"] as const)
    keys.addCommand(
      new Command(operation)
        .description(about[operation])
        .argument("<key>", "in base64")
        .addOption(socketOption())
        .addOption(jsonOption())
        .action(async (key: string, { socket, json }: ListOptions) => {
          report(await askAgent<"keys">(socket, { call: "keys", operation, key }), json);
        }),
    );
  return keys;
}

/** Not all members did it: then the exit code says so. */
function report(answer: KeysAnswer, json = false): void {
  print(json ? JSON.stringify(answer, undefined, 2) : keyLines(answer));
  if (answer.answered < answer.members || Object.keys(answer.failures).length > 0) process.exitCode = 1;
}

function print(text: string): void {
  process.stdout.write(text === "" ? "" : `${text}\n`);
}
