import { readFileSync } from "node:fs";
import { z } from "zod";
import { messageOf, parseAddress, parseInterfaceAddress, parsePrefix, WeftError } from "../core/index.ts";

const address = z.string().refine(reads(parseAddress), "it should be an IPv4 or IPv6 address");
const prefix = z.string().refine(reads(parsePrefix), "it should be a prefix such as 10.0.0.0/8");
const bridgeAddress = z
  .string()
  .refine(
    reads(parseInterfaceAddress),
    "it should be an address with its prefix length, such as 172.20.0.1/16",
  );

/**
 * The daemon's configuration, one JSON file. Keys that Docker has mean what they mean there (LN §1.4);
 * those of weft's own begin with `weft-`.
 */
export const DaemonConfig = z.strictObject({
  "default-address-pools": z
    .array(z.strictObject({ base: prefix, size: z.number().int().min(1).max(128) }))
    .default([])
    .describe("Where subnets of networks that name none are chosen from."),
  "default-network-opts": z
    .record(z.string(), z.record(z.string(), z.string()))
    .default({})
    .describe("Driver options of new networks, by driver."),
  bip: bridgeAddress.optional().describe("The address of the network `bridge`, with its prefix length."),
  bip6: bridgeAddress.optional().describe("The same for IPv6."),
  "fixed-cidr": prefix.optional().describe("The part of its subnet that endpoints are given from."),
  "fixed-cidr-v6": prefix.optional().describe("The same for IPv6."),
  "default-gateway": address
    .optional()
    .describe("The gateway of its endpoints, in place of the bridge itself."),
  "default-gateway-v6": address.optional().describe("The same for IPv6."),
  bridge: z.literal("none").optional().describe("`none`: there is no network `bridge`."),
  ipv6: z.boolean().default(false).describe("IPv6 on the network `bridge`."),
  mtu: z.number().int().min(68).max(65_535).optional().describe("The MTU of the network `bridge`, bytes."),
  icc: z.boolean().default(true).describe("Endpoints of the network `bridge` may speak with each other."),
  ip: address.optional().describe("Where ports of the network `bridge` are published that name no address."),
  "ip-masq": z.boolean().default(true).describe("Hide the network `bridge` behind the host's addresses."),
  dns: z
    .array(address)
    .default([])
    .describe("Name servers of sandboxes that name none, in place of the host's."),
  "dns-search": z.array(z.string()).default([]).describe("Their search domains."),
  "dns-opts": z.array(z.string()).default([]).describe("Their resolver options."),
  "host-gateway-ips": z
    .array(address)
    .max(2)
    .default([])
    .describe("What `host-gateway` stands for in --add-host."),
  "log-level": z
    .enum(["trace", "debug", "info", "warn", "error", "fatal"])
    .default("info")
    .describe("What the daemon's log holds."),
  "log-opts": z
    .strictObject({
      "max-size": z
        .string()
        .regex(/^[1-9][0-9]*[kmg]?$/, "it should be bytes, such as 10m")
        .optional(),
      "max-file": z
        .string()
        .regex(/^[1-9][0-9]?$/, "it should be a number of files, 1 to 99")
        .optional(),
    })
    .default({})
    .describe("How much is kept of the output of commands in the background."),
  group: z.string().default("weft").describe("Who besides root may use the socket."),
  "metrics-addr": z
    .string()
    .regex(/^127\.0\.0\.1:[0-9]{1,5}$/, "it should be 127.0.0.1:PORT")
    .optional()
    .describe("Where metrics are served besides the socket."),
  "weft-self-repair": z
    .boolean()
    .default(true)
    .describe("Put right what others change of weft's on the host."),
  "weft-keep-bridge-netfilter": z
    .boolean()
    .default(false)
    .describe("Leave bridge-nf-call-iptables as it is where weft would turn it off."),
});
export type DaemonConfig = z.infer<typeof DaemonConfig>;

/** The configuration of a host that has no file. */
export const defaultConfig: DaemonConfig = DaemonConfig.parse({});

/** Reads a configuration file. Throws INVALID_CONFIG, naming the key and what would be right. */
export function readConfig(path: string): DaemonConfig {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new WeftError("INVALID_CONFIG", `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
  return parseConfig(text, path);
}

/** Reads a configuration; `where` names it in messages. Throws INVALID_CONFIG. */
export function parseConfig(text: string, where: string): DaemonConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new WeftError("INVALID_CONFIG", `${where} is no JSON: ${messageOf(error)}`, { cause: error });
  }
  const result = DaemonConfig.safeParse(value);
  if (result.success) return result.data;
  throw new WeftError("INVALID_CONFIG", `${where}: ${result.error.issues.map(issueText).join("; ")}`);
}

function issueText(issue: z.core.$ZodIssue): string {
  const path = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const keys = issue.keys.map((key) => JSON.stringify(key)).join(", ");
    const where = path === "" ? "" : ` in ${path}`;
    return `unknown key ${keys}${where}`;
  }
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}

/** Whether a function takes a text. */
function reads(parse: (text: string) => unknown): (text: string) => boolean {
  return (text) => {
    try {
      parse(text);
      return true;
    } catch {
      return false;
    }
  };
}
