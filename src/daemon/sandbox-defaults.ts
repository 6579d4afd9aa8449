import type { SandboxCreate } from "../api/index.ts";
import type { DaemonConfig } from "./config.ts";

const defaultLogBytes = 10 * 1024 * 1024;
const defaultLogFiles = 3;

/** A request with what the configuration says of sandboxes that say nothing themselves. */
export function withDefaults(request: SandboxCreate, config: DaemonConfig): SandboxCreate {
  const or = (own: readonly string[], fallback: readonly string[]) =>
    own.length > 0 ? [...own] : [...fallback];
  const options = config["log-opts"];
  return {
    ...request,
    Dns: or(request.Dns, config.dns),
    DnsSearch: or(request.DnsSearch, config["dns-search"]),
    DnsOptions: or(request.DnsOptions, config["dns-opts"]),
    LogConfig: {
      MaxSize: request.LogConfig.MaxSize ?? bytesOf(options["max-size"]) ?? defaultLogBytes,
      MaxFile: request.LogConfig.MaxFile ?? numberOf(options["max-file"]) ?? defaultLogFiles,
    },
  };
}

const units: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** `10m` in bytes. */
function bytesOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const unit = units[text.at(-1) ?? ""];
  return unit === undefined ? Number(text) : Number(text.slice(0, -1)) * unit;
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
