import { type Command, Option } from "commander";
import type { SandboxCreateInput } from "../../api/index.ts";
import { collect, collectPairs, collectWords } from "./key-values.ts";
import { attachmentsOf, type FirstNetworkOptions } from "./network-attachment.ts";

/** The options of whatever makes a sandbox, as commander gives them. */
export interface SandboxOptions extends FirstNetworkOptions {
  readonly name?: string;
  readonly network?: readonly string[];
  readonly net?: readonly string[];
  readonly publish?: string[];
  readonly publishAll?: boolean;
  readonly expose?: string[];
  readonly hostname?: string;
  readonly domainname?: string;
  readonly dns?: string[];
  readonly dnsSearch?: string[];
  readonly dnsOption?: string[];
  readonly addHost?: string[];
  readonly sysctl?: Record<string, string>;
  readonly label?: Record<string, string>;
}

/** Gives `command` the options of whatever makes a sandbox. Its help is `--help` alone: -h is the host name. */
export function addSandboxOptions(command: Command): Command {
  return command
    .helpOption("--help", "print how this command is used")
    .optionsGroup("Name and networks:")
    .option("--name <name>", "what to call the sandbox; a name is made up without")
    .option(
      "--network <network>",
      "a network, or name=NET[,alias=A][,ip=…][,ip6=…][,mac-address=…][,gw-priority=N]; host, none, container:SANDBOX; several times",
      collect,
    )
    .addOption(new Option("--net <network>", "--network").argParser(collect).hideHelp())
    .option("--ip <ip>", "its IPv4 address on the first network")
    .option("--ip6 <ip>", "its IPv6 address on the first network")
    .option("--mac-address <mac>", "its Ethernet address on the first network")
    .option("--network-alias <name>", "one more name for it on the first network", collect)
    .addOption(new Option("--net-alias <name>", "--network-alias").argParser(collect).hideHelp())
    .option("--link-local-ip <ip>", "a link-local address more on the first network", collect)
    .option("--link <name:alias>", "another name for a sandbox, which this one alone knows", collect)
    .option(
      "-p, --publish <port>",
      "[HOST-IP:][HOST-PORT:]PORT[/udp]: a port of the host that leads to it",
      collect,
    )
    .option("-P, --publish-all", "publish every exposed port on a free port of the host")
    .option("--expose <port>", "a port that -P publishes", collect)
    .option("-l, --label <key=value>", "a label", collectWords)
    .optionsGroup("Names that it knows:")
    .option("-h, --hostname <name>", "its host name; the first digits of its id without")
    .option("--domainname <name>", "its NIS domain name")
    .option("--dns <ip>", "a name server to ask for what no network knows; the host's own without", collect)
    .option("--dns-search <domain>", "a domain to look names up in", collect)
    .option("--dns-option <option>", "an option of resolv.conf", collect)
    .addOption(new Option("--dns-opt <option>", "--dns-option").argParser(collect).hideHelp())
    .option(
      "--add-host <name:ip>",
      "a line of its /etc/hosts; host-gateway stands for the host's address",
      collect,
    )
    .option("--sysctl <key=value>", "a net.* setting of the kernel, for it alone", collectPairs)
    .optionsGroup("Options:");
}

/** The part of a request that these options make. Throws UsageError. */
export function sandboxRequest(options: SandboxOptions & HiddenOptions): SandboxCreateInput {
  const aliases = [...(options.networkAlias ?? []), ...(options.netAlias ?? [])];
  const dnsOptions = [...(options.dnsOption ?? []), ...(options.dnsOpt ?? [])];
  return {
    ...(options.name !== undefined && { Name: options.name }),
    ...(options.label !== undefined && { Labels: options.label }),
    ...attachmentsOf([...(options.network ?? []), ...(options.net ?? [])], {
      ...options,
      networkAlias: aliases.length === 0 ? undefined : aliases,
    }),
    ...(options.hostname !== undefined && { Hostname: options.hostname }),
    ...(options.domainname !== undefined && { Domainname: options.domainname }),
    ...(options.dns !== undefined && { Dns: options.dns }),
    ...(options.dnsSearch !== undefined && { DnsSearch: options.dnsSearch }),
    ...(dnsOptions.length > 0 && { DnsOptions: dnsOptions }),
    ...(options.addHost !== undefined && { ExtraHosts: options.addHost }),
    ...(options.sysctl !== undefined && { Sysctls: options.sysctl }),
    ...(options.publish !== undefined && { Ports: options.publish }),
    ...(options.publishAll === true && { PublishAllPorts: true }),
    ...(options.expose !== undefined && { ExposedPorts: options.expose }),
  };
}

/** Docker's second names for options. */
interface HiddenOptions {
  readonly netAlias?: readonly string[];
  readonly dnsOpt?: string[];
}
