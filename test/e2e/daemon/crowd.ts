import { WeftClient } from "../../../src/api/client/index.ts";
import type { SandboxCreateInput } from "../../../src/api/index.ts";
import type { TestDaemon } from "./test-daemon.ts";

/** How many clients ask a daemon for how much. */
export interface CrowdOptions {
  readonly clients: number;
  readonly sandboxes: number;
  /** A bridge takes 1,023 ports, so many sandboxes need several networks. */
  readonly networks: number;
  /** The first of the host's ports, one of which each sandbox publishes; none without. */
  readonly firstPort?: number;
  /** What runs in each; nothing without. */
  readonly command?: readonly string[];
  /** False to leave the commands unstarted: the sandboxes are recorded, and the host holds nothing of them. */
  readonly started?: boolean;
}

/** The command of most sandboxes that are made in numbers: it costs little, and does not end. */
export const idleCommand: readonly string[] = ["busybox", "sleep", "1000000"];

/** The name of one of the crowd's sandboxes. */
export const crowdName = (i: number): string => `box${i}`;

/** Makes networks, and then sandboxes on them by clients that all ask at once. Throws the first refusal. */
export async function makeCrowd({ client, socketPath }: TestDaemon, options: CrowdOptions): Promise<void> {
  for (let i = 0; i < options.networks; i++)
    await client.createNetwork({
      Name: `crowd${i}`,
      IPAM: { Config: [{ Subnet: `10.${i}.0.0/16` }] },
    });
  await byClients(socketPath, options, (one, i) =>
    one.createSandbox(requestOf(options, i), {
      start: options.command !== undefined && options.started !== false,
    }),
  );
}

/** Removes the crowd's sandboxes by as many clients, and their networks. */
export async function removeCrowd({ client, socketPath }: TestDaemon, options: CrowdOptions): Promise<void> {
  await byClients(socketPath, options, (one, i) => one.removeSandbox(crowdName(i), { force: true }));
  for (let i = 0; i < options.networks; i++) await client.removeNetwork(`crowd${i}`);
}

function requestOf({ networks, firstPort, command }: CrowdOptions, i: number): SandboxCreateInput {
  return {
    Name: crowdName(i),
    Networks: [{ Network: `crowd${i % networks}` }],
    ...(firstPort === undefined ? {} : { Ports: [`${firstPort + i}:80`] }),
    ...(command === undefined ? {} : { Command: { Args: [...command], WorkingDir: "/" } }),
  };
}

/** Has every sandbox's number taken up by one of the clients, each of which does one thing at a time. */
async function byClients(
  socketPath: string,
  { clients, sandboxes }: CrowdOptions,
  work: (client: WeftClient, i: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const one = async () => {
    const client = new WeftClient({ socketPath, keepAlive: true });
    try {
      while (next < sandboxes) await work(client, next++);
    } finally {
      client.close();
    }
  };
  await Promise.all(Array.from({ length: clients }, one));
}
