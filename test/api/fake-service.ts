import type { Entry, Event, HostService, Network, Sandbox, SandboxSummary } from "../../src/api/index.ts";
import { SandboxCreate } from "../../src/api/index.ts";

/** One call of a {@link HostService}: the method and what it was given, without signals. */
export type Call = readonly [method: string, ...given: unknown[]];

/** A service that answers with samples and keeps what it was asked. */
export interface FakeService {
  readonly service: HostService;
  readonly calls: Call[];
}

const id = "1f".repeat(32);
const time = "2026-11-21T16:07:06.123Z";

export const sampleNetwork: Network = {
  Name: "web",
  Id: id,
  Created: time,
  Scope: "local",
  Driver: "bridge",
  EnableIPv4: true,
  EnableIPv6: false,
  IPAM: { Driver: "default", Options: {}, Config: [{ Subnet: "172.18.0.0/16", Gateway: "172.18.0.1" }] },
  Internal: false,
  Attachable: false,
  ConfigOnly: false,
  ConfigFrom: "",
  Options: {},
  Labels: {},
  Containers: {},
};

export const sampleSummary: SandboxSummary = {
  Id: id,
  Name: "db",
  Command: "sleep 1",
  Created: time,
  State: "running",
  Status: "Up 3 minutes",
  Ports: "",
  Labels: {},
  Networks: ["web"],
  IPAddresses: ["172.18.0.2"],
};

export const sampleSandbox: Sandbox = {
  Id: id,
  Name: "db",
  Created: time,
  Labels: {},
  State: {
    Status: "running",
    Running: true,
    Pid: 7,
    ExitCode: null,
    Error: "",
    RestartCount: 0,
    StartedAt: time,
    FinishedAt: "",
  },
  Config: SandboxCreate.parse({ Name: "db", Command: { Args: ["sleep", "1"] } }),
  SandboxKey: "/run/weft/netns/db",
  LogPath: "/var/lib/weft/logs/db",
  NetworkMode: "",
  Networks: {},
  Ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "8080" }] },
};

export const sampleEntry: Entry = {
  Id: id,
  NetnsPath: "/run/weft/netns/db",
  Files: [{ Source: "/run/weft/hosts", Target: "/etc/hosts" }],
  Hostname: "db",
};

export function sampleEvent(number: number): Event {
  return {
    Id: String(number),
    Time: time,
    Type: "network",
    Action: "create",
    Actor: { Id: id, Name: `net${number}`, Attributes: {} },
  };
}

/** A service of samples; `own` has other answers for single methods. */
export function fakeService(own: Partial<HostService> = {}): FakeService {
  const calls: Call[] = [];
  const samples: HostService = {
    version: () => ({
      Version: "0.1.0",
      ApiVersion: "1",
      KernelVersion: "6.1",
      NodeVersion: "20",
      Arch: "x64",
    }),
    info: () => ({
      Pid: 1,
      RootDir: "/var/lib/weft",
      RunDir: "/run/weft",
      Networks: 3,
      Sandboxes: 2,
      SandboxesRunning: 1,
      StartedAt: time,
      MemoryBytes: 1,
      StoreRevision: 1,
    }),
    createNetwork: async () => ({ Id: id, Warnings: [] }),
    networks: () => [sampleNetwork],
    network: async () => sampleNetwork,
    removeNetwork: async () => {},
    pruneNetworks: async () => ({ NetworksDeleted: ["web"] }),
    connect: async () => {},
    disconnect: async () => {},
    createSandbox: async () => ({ Id: id, Warnings: ["slow"] }),
    sandboxes: () => [sampleSummary],
    sandbox: async () => sampleSandbox,
    removeSandbox: async () => {},
    startSandbox: async () => {},
    stopSandbox: async () => {},
    killSandbox: async () => {},
    restartSandbox: async () => {},
    waitSandbox: async () => ({ StatusCode: 137 }),
    logs: () => inTurn([Buffer.from("one\n"), Buffer.from([0xff, 0x00, 0x0a])]),
    enterSandbox: async () => sampleEntry,
    claimProcess: async () => {},
    tellExit: async () => {},
    drift: async () => [{ Drift: "missing", Object: "link weft0", Wanted: { up: true } }],
    repair: async () => ({ Mended: ["link weft0"], Unmended: [] }),
    doctor: async () => [{ Check: "nftables", Level: "ok", Found: "there", Advice: "" }],
    plan: async () => ({ Status: 201, Answer: {}, Steps: [{ Step: "create", Object: "link weft0" }] }),
    events: () => inTurn([sampleEvent(1), sampleEvent(2)]),
    metrics: async () => "# TYPE up gauge\nup 1\n",
    backup: () => inTurn([Buffer.from("store")]),
  };
  return { service: recorded({ ...samples, ...own }, calls), calls };
}

/** What is there, one after the other. */
export async function* inTurn<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

function recorded(service: HostService, calls: Call[]): HostService {
  return new Proxy(service, {
    get(target, name: keyof HostService) {
      const method = target[name];
      return (...given: unknown[]) => {
        calls.push([name, ...given.filter((value) => !(value instanceof AbortSignal)).map(withoutSignal)]);
        return Reflect.apply(method, target, given);
      };
    },
  });
}

function withoutSignal(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("signal" in value)) return value;
  if (!(value.signal instanceof AbortSignal)) return value;
  const { signal: _, ...rest } = value;
  return rest;
}

/** All that a stream gives. */
export async function everythingOf<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}
