import { fileURLToPath } from "node:url";
import { type RunningProgram, runProgram, startServer } from "../../test/peers/programs.ts";
import type { Path } from "./lan.ts";

/** The ports of the two servers that stand at the end of a path; a published port has the same number on the host. */
export const [streamPort, webPort] = [5201, 8080];
/** How long one measurement sends, seconds. */
const seconds = 2;
/** How many connections are open at a time. */
const connections = 32;

const webServer = fileURLToPath(new URL("./http-server.js", import.meta.url));

/** Starts the web server of all measurements at a port of a namespace. */
export function startWebServer(netns: string, port: number): Promise<RunningProgram> {
  return startServer(netns, process.execPath, [webServer, String(port)], "listening");
}

/** Starts both servers in a namespace: the same programs for everybody, so that only the network differs. */
export async function startServers(netns: string): Promise<readonly RunningProgram[]> {
  const args = ["--server", "--forceflush", "--port", String(streamPort)];
  const stream = await startServer(netns, "iperf3", args, "Server listening");
  try {
    return [stream, await startWebServer(netns, webPort)];
  } catch (error) {
    await stream.stop();
    throw error;
  }
}

/** One TCP stream towards the server, in Gbit/s of what arrived there. */
export async function streamRate({ client, address }: Path): Promise<number> {
  const args = [
    "--client",
    address,
    "--port",
    String(streamPort),
    "--time",
    String(seconds),
    "--json",
    "--connect-timeout",
    "5000",
  ];
  const { end, error } = JSON.parse(await runProgram(client, "iperf3", args)) as IperfReport;
  if (error !== undefined) throw new Error(`iperf3 at ${address}: ${error}`);
  return end.sum_received.bits_per_second / 1e9;
}

/** What iperf3 --json prints, as far as it is read here. */
interface IperfReport {
  /** It fails with this and the code 0. */
  readonly error?: string;
  readonly end: { readonly sum_received: { readonly bits_per_second: number } };
}

/** Answered requests a second; with `keepAlive` false, each on a connection of its own. Throws when any failed. */
export async function requestRate({ client, address }: Path, keepAlive: boolean): Promise<number> {
  const header = keepAlive ? [] : ["--header", "Connection: close"];
  const load = ["--threads", "1", "--connections", String(connections), "--duration", `${seconds}s`];
  const url = `http://${address}:${webPort}/`;
  const report = await runProgram(client, "wrk", [...load, ...header, url]);
  const [, rate] = /^Requests\/sec:\s+([\d.]+)$/m.exec(report) ?? [];
  if (rate === undefined || /Socket errors|Non-2xx/.test(report))
    throw new Error(`wrk at ${address}: ${report}`);
  return Number(rate);
}

/** Throws when a web server at `port` in a namespace cannot be reached by the path. */
export async function answeredThrough({ client, address }: Path, netns: string, port: number): Promise<void> {
  const server = await startWebServer(netns, port);
  try {
    const answer = await runProgram(client, "busybox", ["wget", "-qO-", `http://${address}:${port}/`]);
    if (answer !== "ok") throw new Error(`${address}:${port} answers ${answer}`);
  } finally {
    await server.stop();
  }
}
