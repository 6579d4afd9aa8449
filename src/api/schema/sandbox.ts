import { z } from "zod";
import { EndpointConfig } from "./network.ts";
import { Time, Words } from "./words.ts";

/** The command of a sandbox: what runs in it, and what it may do. */
export const CommandConfig = z
  .strictObject({
    Args: z.array(z.string()).min(1),
    Env: z.array(z.string()).default([]).meta({ description: "NAME=value" }),
    WorkingDir: z.string().default(""),
    User: z.string().default("").meta({ description: "name, uid, name:group or uid:gid; root without." }),
    Tty: z.boolean().default(false),
    OpenStdin: z.boolean().default(false),
    Rootfs: z
      .string()
      .default("")
      .meta({ description: "The folder that is its root; the host's own without." }),
    ReadonlyRootfs: z.boolean().default(false),
    CapAdd: z.array(z.string()).default([]),
    CapDrop: z.array(z.string()).default([]),
    Privileged: z.boolean().default(false),
  })
  .meta({ id: "CommandConfig" });
export type CommandConfig = z.infer<typeof CommandConfig>;

/** When a command that ended is started again. */
export const RestartPolicy = z
  .strictObject({
    Name: z.enum(["no", "on-failure", "always", "unless-stopped"]).default("no"),
    MaximumRetryCount: z
      .number()
      .int()
      .min(0)
      .default(0)
      .meta({ description: "0: no end; on-failure only." }),
  })
  .meta({ id: "RestartPolicy" });
export type RestartPolicy = z.infer<typeof RestartPolicy>;

/** How much of its output is kept. */
export const LogConfig = z
  .strictObject({
    MaxSize: z
      .number()
      .int()
      .min(4096)
      .optional()
      .meta({ description: "Bytes of one file; 10 MiB unless the daemon's configuration says otherwise." }),
    MaxFile: z.number().int().min(1).max(100).optional().meta({ description: "Files; 3 without." }),
  })
  .meta({ id: "LogConfig" });
export type LogConfig = z.infer<typeof LogConfig>;

/** A sandbox to make; POST /v1/sandboxes. */
export const SandboxCreate = z
  .strictObject({
    Name: z.string().default("").meta({ description: "One is made up without." }),
    Labels: Words.default({}),
    NetworkMode: z.string().default("").meta({
      description: "host, none, or container:SANDBOX; empty with Networks, or for the network `bridge`.",
    }),
    Networks: z.array(EndpointConfig).default([]),
    Netns: z.string().default("").meta({ description: "A namespace that something else made, by path." }),
    Hostname: z.string().default(""),
    Domainname: z.string().default(""),
    Dns: z.array(z.string()).default([]),
    DnsSearch: z.array(z.string()).default([]),
    DnsOptions: z.array(z.string()).default([]),
    ExtraHosts: z.array(z.string()).default([]).meta({ description: "name:address or name:host-gateway" }),
    Sysctls: Words.default({}),
    Ports: z.array(z.string()).default([]).meta({ description: "As --publish takes them." }),
    ExposedPorts: z.array(z.string()).default([]),
    PublishAllPorts: z.boolean().default(false),
    Command: CommandConfig.optional(),
    RestartPolicy: RestartPolicy.prefault({}),
    AutoRemove: z.boolean().default(false),
    StopSignal: z.string().default("SIGTERM"),
    StopTimeout: z.number().int().min(0).default(10).meta({ description: "Seconds until SIGKILL." }),
    LogConfig: LogConfig.prefault({}),
  })
  .meta({ id: "SandboxCreate" });
export type SandboxCreate = z.infer<typeof SandboxCreate>;
export type SandboxCreateInput = z.input<typeof SandboxCreate>;

/** Where a sandbox is in its life. */
export const SandboxStatus = z
  .enum(["created", "running", "restarting", "exited"])
  .meta({ id: "SandboxStatus" });
export type SandboxStatus = z.infer<typeof SandboxStatus>;

/** What its command does, or came to. */
export const SandboxState = z
  .strictObject({
    Status: SandboxStatus,
    Running: z.boolean(),
    Pid: z.number().int().meta({ description: "As the host counts; 0 when nothing runs." }),
    ExitCode: z.number().int().nullable().meta({
      description: "128 + n for signal n. null while it runs, and when it ended while nobody looked.",
    }),
    Error: z.string().meta({ description: "Why it could not be started; empty otherwise." }),
    RestartCount: z.number().int(),
    StartedAt: Time,
    FinishedAt: Time,
  })
  .meta({ id: "SandboxState" });
export type SandboxState = z.infer<typeof SandboxState>;

/** An endpoint as its sandbox tells of it. */
export const SandboxEndpoint = z
  .strictObject({
    NetworkID: z.string(),
    EndpointID: z.string(),
    Gateway: z.string(),
    IPAddress: z.string(),
    IPPrefixLen: z.number().int(),
    IPv6Gateway: z.string(),
    GlobalIPv6Address: z.string(),
    GlobalIPv6PrefixLen: z.number().int(),
    MacAddress: z.string(),
    Interface: z.string(),
    Aliases: z.array(z.string()),
    DNSNames: z.array(z.string()),
    GwPriority: z.number().int(),
    DriverOpts: Words,
  })
  .meta({ id: "SandboxEndpoint" });
export type SandboxEndpoint = z.infer<typeof SandboxEndpoint>;

/** A port of the host that leads to a sandbox. */
export const PortBinding = z
  .strictObject({ HostIp: z.string(), HostPort: z.string() })
  .meta({ id: "PortBinding" });

/** A sandbox. */
export const Sandbox = z
  .strictObject({
    Id: z.string(),
    Name: z.string(),
    Created: Time,
    Labels: Words,
    State: SandboxState,
    Config: SandboxCreate,
    SandboxKey: z
      .string()
      .meta({ description: "The path of its network namespace; empty while it has none." }),
    LogPath: z.string(),
    NetworkMode: z.string(),
    Networks: z.record(z.string(), SandboxEndpoint).meta({ description: "By the network's name." }),
    Ports: z.record(z.string(), z.array(PortBinding)).meta({ description: "By `port/protocol`." }),
  })
  .meta({ id: "Sandbox" });
export type Sandbox = z.infer<typeof Sandbox>;

/** A sandbox in a listing. */
export const SandboxSummary = z
  .strictObject({
    Id: z.string(),
    Name: z.string(),
    Command: z.string(),
    Created: Time,
    State: SandboxStatus,
    Status: z.string().meta({ description: "For people: Up 3 minutes, Exited (0) 2 hours ago." }),
    Ports: z.string(),
    Labels: Words,
    Networks: z.array(z.string()),
    IPAddresses: z.array(z.string()),
  })
  .meta({ id: "SandboxSummary" });
export type SandboxSummary = z.infer<typeof SandboxSummary>;

/** How a command ended; null when nobody can tell. */
export const WaitResult = z
  .strictObject({ StatusCode: z.number().int().nullable() })
  .meta({ id: "WaitResult" });
export type WaitResult = z.infer<typeof WaitResult>;

/** A process, told from every other: pids come again, and so do they after a boot. */
export const ProcessIdentity = z
  .strictObject({
    Pid: z.number().int().positive(),
    StartTicks: z
      .number()
      .int()
      .meta({ description: "Clock ticks since the boot, field 22 of /proc/PID/stat." }),
    BootId: z.string().meta({ description: "/proc/sys/kernel/random/boot_id" }),
  })
  .meta({ id: "ProcessIdentity" });
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

/**
 * What a client needs to start a command in a sandbox with its own terminal: the command line's
 * interactive run and exec. Read by a client on the same host, as root.
 */
export const Entry = z
  .strictObject({
    Id: z.string(),
    NetnsPath: z.string(),
    Files: z.array(z.strictObject({ Source: z.string(), Target: z.string() })),
    Hostname: z.string().meta({ description: "Empty for the host's own." }),
    Domainname: z.string().optional().meta({ description: "The host's own without." }),
    Command: CommandConfig.optional().meta({ description: "The sandbox's own." }),
    Process: ProcessIdentity.optional().meta({
      description: "The sandbox's running command, whose namespaces exec enters.",
    }),
    Stdin: z.string().optional().meta({
      description:
        "The FIFO that its command in the background reads from, when it has OpenStdin and no Tty.",
    }),
  })
  .meta({ id: "Entry" });
export type Entry = z.infer<typeof Entry>;

/** What a client tells of the end of the command that it started; POST /v1/sandboxes/{sandbox}/exit. */
export const ExitReport = z
  .strictObject({
    Process: ProcessIdentity,
    StatusCode: z.number().int().min(0).max(255).meta({ description: "128 + n for signal n." }),
  })
  .meta({ id: "ExitReport" });
export type ExitReport = z.infer<typeof ExitReport>;
