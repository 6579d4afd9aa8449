import type { Command } from "commander";
import type { Context } from "../context.ts";
import { collect, collectWords } from "../options/key-values.ts";
import { integer } from "../options/numbers.ts";
import { markPlannable } from "../plannable.ts";

interface ConnectOptions {
  readonly ip?: string;
  readonly ip6?: string;
  readonly alias?: string[];
  readonly gwPriority?: number;
  readonly driverOpt?: Record<string, string>;
  readonly linkLocalIp?: string[];
  readonly macAddress?: string;
  readonly link?: string[];
}

/** `weft network connect`. */
export function networkConnectCommand(command: Command, context: Context): void {
  markPlannable(command)
    .description("Connect a sandbox to one network more")
    .argument("<network>", "its name or id")
    .argument("<sandbox>", "its name or id")
    .option("--ip <ip>", "its IPv4 address there")
    .option("--ip6 <ip>", "its IPv6 address there")
    .option("--alias <name>", "one more name for it there", collect)
    .option("--gw-priority <number>", "the network with the highest one leads out of the sandbox", integer)
    .option("--mac-address <mac>", "its Ethernet address there")
    .option("--link-local-ip <ip>", "a link-local address more", collect)
    .option("--link <name:alias>", "another name for a sandbox there, which this one alone knows", collect)
    .option("-o, --driver-opt <key=value>", "an option for the driver", collectWords)
    .action(async (network: string, sandbox: string, options: ConnectOptions) => {
      await (await context.changes()).connect(network, {
        Sandbox: sandbox,
        ...(options.alias !== undefined && { Aliases: options.alias }),
        ...(options.link !== undefined && { Links: options.link }),
        ...(options.ip !== undefined && { IPv4Address: options.ip }),
        ...(options.ip6 !== undefined && { IPv6Address: options.ip6 }),
        ...(options.linkLocalIp !== undefined && { LinkLocalIPs: options.linkLocalIp }),
        ...(options.macAddress !== undefined && { MacAddress: options.macAddress }),
        ...(options.gwPriority !== undefined && { GwPriority: options.gwPriority }),
        ...(options.driverOpt !== undefined && { DriverOpts: options.driverOpt }),
      });
    });
}

/** `weft network disconnect`. */
export function networkDisconnectCommand(command: Command, context: Context): void {
  markPlannable(command)
    .description("Disconnect a sandbox from a network")
    .argument("<network>", "its name or id")
    .argument("<sandbox>", "its name or id")
    .option("-f, --force", "also when the sandbox is not found")
    .action(async (network: string, sandbox: string, { force = false }: { readonly force?: boolean }) => {
      await (await context.changes()).disconnect(network, { Sandbox: sandbox, Force: force });
    });
}
