import { z } from "zod";
import { Time, Words } from "./words.ts";

/** One subnet of a network, as it is asked for and as it was given. Docker's names. */
export const IpamConfig = z
  .strictObject({
    Subnet: z.string().optional().meta({ description: "A prefix: 10.1.0.0/24, fd00::/64." }),
    IPRange: z.string().optional().meta({ description: "The part of it that endpoints are given from." }),
    Gateway: z.string().optional(),
    AuxiliaryAddresses: Words.optional().meta({
      description: "Addresses that are given to nobody, by name.",
    }),
  })
  .meta({ id: "IpamConfig" });
export type IpamConfig = z.infer<typeof IpamConfig>;

/** A network to make; POST /v1/networks. */
export const NetworkCreate = z
  .strictObject({
    Name: z.string(),
    Driver: z.string().default("bridge"),
    EnableIPv4: z.boolean().default(true),
    EnableIPv6: z.boolean().default(false),
    Internal: z.boolean().default(false),
    Attachable: z.boolean().default(false),
    ConfigOnly: z.boolean().default(false),
    ConfigFrom: z
      .string()
      .optional()
      .meta({ description: "The config-only network that this is made from." }),
    IPAM: z
      .strictObject({
        Driver: z.string().optional(),
        Options: Words.optional(),
        Config: z.array(IpamConfig).optional(),
      })
      .optional(),
    Options: Words.optional(),
    Labels: Words.optional(),
  })
  .meta({ id: "NetworkCreate" });
export type NetworkCreate = z.infer<typeof NetworkCreate>;
export type NetworkCreateInput = z.input<typeof NetworkCreate>;

/** What was made. */
export const Created = z
  .strictObject({ Id: z.string(), Warnings: z.array(z.string()) })
  .meta({ id: "Created" });
export type Created = z.infer<typeof Created>;

/** An endpoint as its network tells of it. */
export const NetworkEndpoint = z
  .strictObject({
    Name: z.string(),
    EndpointID: z.string(),
    MacAddress: z.string(),
    IPv4Address: z.string().meta({ description: "With its prefix length; empty without." }),
    IPv6Address: z.string(),
  })
  .meta({ id: "NetworkEndpoint" });

/** The link of the host that a network is built on, as it was found. */
export const NetworkParent = z
  .strictObject({
    Interface: z.string(),
    Origin: z.enum(["made", "adopted", "dummy"]).meta({
      description:
        "A VLAN sub-interface that weft made, somebody else's link, or one that leads nowhere (option parent left out).",
    }),
    MTU: z.number().int().meta({ description: "Bytes." }),
    VLAN: z
      .strictObject({
        Interface: z.string().optional().meta({ description: "The link below, unless it is elsewhere." }),
        Id: z.number().int(),
        Protocol: z.enum(["802.1Q", "802.1ad"]),
      })
      .optional(),
  })
  .meta({ id: "NetworkParent" });
export type NetworkParent = z.infer<typeof NetworkParent>;

/** A network. */
export const Network = z
  .strictObject({
    Name: z.string(),
    Id: z.string(),
    Created: Time,
    Scope: z.literal("local"),
    Driver: z.string(),
    EnableIPv4: z.boolean(),
    EnableIPv6: z.boolean(),
    IPAM: z.strictObject({ Driver: z.string(), Options: Words, Config: z.array(IpamConfig) }),
    Internal: z.boolean(),
    Attachable: z.boolean(),
    ConfigOnly: z.boolean(),
    ConfigFrom: z.string().meta({ description: "The name of the config-only network; empty without." }),
    Options: Words,
    Labels: Words,
    Containers: z
      .record(z.string(), NetworkEndpoint)
      .meta({ description: "By the sandbox's id; not in listings." }),
    Parent: NetworkParent.optional().meta({
      description: "For a network that is built on a link of the host; not in listings.",
    }),
    Interface: z.string().optional().meta({ description: "The host's link, with verbose." }),
    IPAMStatus: z
      .array(
        z.strictObject({
          Subnet: z.string(),
          AddressesInUse: z.number().int(),
          AddressesFree: z.string().meta({ description: "A whole number; of IPv6 it may have 39 digits." }),
        }),
      )
      .optional()
      .meta({ description: "With verbose." }),
  })
  .meta({ id: "Network" });
export type Network = z.infer<typeof Network>;

/** How a sandbox is to be on a network. */
export const EndpointConfig = z
  .strictObject({
    Network: z.string().meta({ description: "Its name or id." }),
    Aliases: z.array(z.string()).optional(),
    Links: z.array(z.string()).optional().meta({ description: "name:alias" }),
    IPv4Address: z.string().optional(),
    IPv6Address: z.string().optional(),
    LinkLocalIPs: z.array(z.string()).optional(),
    MacAddress: z.string().optional(),
    GwPriority: z.number().int().optional(),
    DriverOpts: Words.optional(),
  })
  .meta({ id: "EndpointConfig" });
export type EndpointConfig = z.infer<typeof EndpointConfig>;

/** POST /v1/networks/{network}/connect */
export const NetworkConnect = EndpointConfig.omit({ Network: true })
  .extend({ Sandbox: z.string() })
  .meta({ id: "NetworkConnect" });
export type NetworkConnect = z.infer<typeof NetworkConnect>;

/** POST /v1/networks/{network}/disconnect */
export const NetworkDisconnect = z
  .strictObject({ Sandbox: z.string(), Force: z.boolean().default(false) })
  .meta({ id: "NetworkDisconnect" });
export type NetworkDisconnect = z.infer<typeof NetworkDisconnect>;
export type NetworkDisconnectInput = z.input<typeof NetworkDisconnect>;

/** What a prune removed, by name. */
export const PruneReport = z
  .strictObject({ NetworksDeleted: z.array(z.string()) })
  .meta({ id: "PruneReport" });
export type PruneReport = z.infer<typeof PruneReport>;
