import type { Command } from "commander";
import type { NetworkCreateInput } from "../../api/index.ts";
import type { Context } from "../context.ts";
import { ipamConfigOf } from "../options/ipam-config.ts";
import { collect, collectPairs, collectWords } from "../options/key-values.ts";
import { markPlannable } from "../plannable.ts";

interface CreateOptions {
  readonly driver?: string;
  readonly subnet?: readonly string[];
  readonly ipRange?: readonly string[];
  readonly gateway?: readonly string[];
  readonly auxAddress?: Readonly<Record<string, string>>;
  readonly ipv4?: boolean;
  readonly ipv6?: boolean;
  readonly internal?: boolean;
  readonly attachable?: boolean;
  readonly configOnly?: boolean;
  readonly configFrom?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly opt?: Readonly<Record<string, string>>;
  readonly ipamDriver?: string;
  readonly ipamOpt?: Readonly<Record<string, string>>;
}

/** `weft network create`. */
export function networkCreateCommand(command: Command, context: Context): void {
  markPlannable(command)
    .description("Make a network, and print its id")
    .argument("<name>", "what to call it")
    .option("-d, --driver <driver>", "bridge (the default), or another driver")
    .option("--subnet <cidr>", "a subnet; one of each family", collect)
    .option("--ip-range <cidr>", "the part of the subnet that sandboxes are given from", collect)
    .option("--gateway <ip>", "the gateway of the subnet; its first address without", collect)
    .option("--aux-address <name=ip>", "an address of the subnet that nobody is given", collectPairs)
    .option("--ipv4", "IPv4 addresses (the default; --ipv4=false for none)")
    .option("--no-ipv4", "no IPv4 addresses")
    .option("--ipv6", "IPv6 addresses too")
    .option("--internal", "no way out of it, and no published ports")
    .option("--attachable", "let sandboxes be connected by hand, where the driver asks for it")
    .option("--config-only", "make no network, but a configuration that networks are made from")
    .option("--config-from <network>", "the config-only network to make it from")
    .option("--label <key=value>", "a label", collectWords)
    .option("-o, --opt <key=value>", "an option of the driver", collectWords)
    .option("--ipam-driver <driver>", "who gives its addresses")
    .option("--ipam-opt <key=value>", "an option of the one who gives its addresses", collectWords)
    .addHelpText("after", examples)
    .action(async (name: string, options: CreateOptions) => {
      const created = await (await context.changes()).createNetwork(requestOf(name, options));
      for (const warning of created.Warnings) await context.complain(`warning: ${warning}`);
      await context.print(`${created.Id}\n`);
    });
}

const examples = `
Examples:
  weft network create web
  weft network create --subnet 10.7.0.0/24 --ip-range 10.7.0.128/25 --ipv6 db
  weft network create --internal -o com.docker.network.bridge.name=brnet brnet`;

function requestOf(name: string, options: CreateOptions): NetworkCreateInput {
  const config = ipamConfigOf({
    subnets: options.subnet ?? [],
    ranges: options.ipRange ?? [],
    gateways: options.gateway ?? [],
    auxAddresses: options.auxAddress ?? {},
  });
  const ipam = {
    ...(options.ipamDriver !== undefined && { Driver: options.ipamDriver }),
    ...(options.ipamOpt !== undefined && { Options: options.ipamOpt }),
    ...(config.length > 0 && { Config: config }),
  };
  return {
    Name: name,
    ...(options.driver !== undefined && { Driver: options.driver }),
    ...(options.ipv4 === false && { EnableIPv4: false }),
    ...(options.ipv6 === true && { EnableIPv6: true }),
    ...(options.internal === true && { Internal: true }),
    ...(options.attachable === true && { Attachable: true }),
    ...(options.configOnly === true && { ConfigOnly: true }),
    ...(options.configFrom !== undefined && { ConfigFrom: options.configFrom }),
    ...(Object.keys(ipam).length > 0 && { IPAM: ipam }),
    ...(options.opt !== undefined && { Options: options.opt }),
    ...(options.label !== undefined && { Labels: options.label }),
  };
}
