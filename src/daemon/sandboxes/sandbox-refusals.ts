import type { SandboxCreate } from "../../api/index.ts";
import { WeftError } from "../../core/index.ts";
import { parseNetworkMode } from "./model-sandbox.ts";
import type { SandboxRecord } from "./sandbox-record.ts";

/** Refuses to start what has nothing to start. Throws NO_COMMAND. */
export function needCommand({ config, name }: SandboxRecord): void {
  if (config.Command === undefined)
    throw new WeftError("NO_COMMAND", `sandbox ${name} has no command: it is there for others to use`);
}

/** Refuses to connect what lives in another sandbox's namespace. Throws INVALID_OPTION. */
export function refuseSharedNamespace({ config }: SandboxRecord): void {
  const { mode } = parseNetworkMode(config.NetworkMode);
  if (mode !== "shared") return;
  throw new WeftError(
    "INVALID_OPTION",
    "container sharing network namespace with another container or host cannot be connected to any other network",
  );
}

/** Refuses to enter a sandbox whose command has ended, which would take its addresses and ports again; in Docker's words. Throws SANDBOX_NOT_RUNNING. */
export function refuseEnded({ name, process, restarting, ending }: SandboxRecord): void {
  if (process !== undefined || (ending === undefined && restarting !== true)) return;
  const words = restarting === true ? "is restarting, wait until it is running" : "is not running";
  throw new WeftError("SANDBOX_NOT_RUNNING", `sandbox ${name} ${words}`);
}

/** Refuses what does not go together. Throws INVALID_OPTION. */
export function checkTogether(config: SandboxCreate): void {
  const { NetworkMode, Networks, Netns, Command, AutoRemove, RestartPolicy } = config;
  const words = [
    NetworkMode !== "" && Networks.length > 0 && `network mode ${NetworkMode} goes with no other network`,
    NetworkMode !== "" && Netns !== "" && "a sandbox in a namespace given by path takes no network mode",
    parseNetworkMode(NetworkMode).mode === "shared" && refusalOfShared(config),
    AutoRemove && Command === undefined && "a sandbox without a command has no end at which to be removed",
    AutoRemove &&
      RestartPolicy.Name !== "no" &&
      "a sandbox that is removed when its command ends is not restarted",
    RestartPolicy.MaximumRetryCount > 0 &&
      RestartPolicy.Name !== "on-failure" &&
      `maximum retry count cannot be used with restart policy '${RestartPolicy.Name}'`,
  ].find((one) => one !== false && one !== undefined);
  if (typeof words === "string") throw new WeftError("INVALID_OPTION", words);
}

/** Why a sandbox cannot live in another's namespace: what it asks for is the other's, in Docker's words; undefined when it can. */
function refusalOfShared({
  Hostname,
  Dns,
  DnsSearch,
  DnsOptions,
  ExtraHosts,
  Ports,
  PublishAllPorts,
  ExposedPorts,
  Sysctls,
}: SandboxCreate): string | undefined {
  if (Hostname !== "") return "conflicting options: hostname and the network mode";
  if (Dns.length + DnsSearch.length + DnsOptions.length > 0)
    return "conflicting options: dns and the network mode";
  if (ExtraHosts.length > 0) return "conflicting options: custom host-to-IP mapping and the network mode";
  if (Ports.length > 0 || PublishAllPorts)
    return "conflicting options: port publishing and the container type network mode";
  if (ExposedPorts.length > 0)
    return "conflicting options: port exposing and the container type network mode";
  const [sysctl] = Object.keys(Sysctls);
  return sysctl === undefined
    ? undefined
    : `sysctl ${JSON.stringify(sysctl)} not allowed in the network namespace of another sandbox`;
}
