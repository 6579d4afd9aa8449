// A program that tests put into a namespace: a TCP and UDP server that tells each client the address it
// is seen by, and a client that does what it is asked on its standard input, a line of JSON each. It
// ends with its standard input.
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import {
  type AgentCalls,
  type AgentReply,
  type AgentRequest,
  agentPort,
  type Reach,
} from "./agent-protocol.ts";
import { queryName } from "./name-query.ts";

type Answer<Call extends keyof AgentCalls> = AgentCalls[Call]["answer"];

const heard = new Set<string>();

function seenAs(address: string | undefined): string {
  const plain = (address ?? "").replace(/^::ffff:/, "");
  heard.add(plain);
  return plain;
}

async function serve(): Promise<void> {
  const tcp = createServer((socket) => {
    socket.on("error", () => {}); // the client gave up
    socket.end(seenAs(socket.remoteAddress));
  });
  const udp = createSocket("udp6");
  udp.on("message", (_message, { address, port }) => {
    udp.send(seenAs(address), port, address, () => {}); // an answer that cannot be sent is as good as lost
  });
  tcp.listen(agentPort, "::");
  udp.bind(agentPort, "::");
  await Promise.all([once(tcp, "listening"), once(udp, "listening")]);
}

function reach(request: Reach): Promise<Answer<"reach">> {
  const ways = { tcp: reachByTcp, udp: reachByUdp, icmp: reachByPing };
  return ways[request.protocol](request);
}

function reachByTcp({ address, port = agentPort, ms }: Reach): Promise<Answer<"reach">> {
  return new Promise((resolve) => {
    let seen = "";
    const socket = connect({ host: address, port });
    const timer = setTimeout(() => finish({ failed: "timeout" }), ms);
    const finish = (answer: Answer<"reach">) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    socket.setEncoding("utf8").on("data", (text: string) => {
      seen += text;
    });
    socket.on("end", () => finish({ seen }));
    socket.on("error", (error) => finish({ failed: codeOf(error) }));
  });
}

/** Sends again and again, as whoever uses UDP does. */
function reachByUdp({ address, port = agentPort, ms }: Reach): Promise<Answer<"reach">> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    const timers: NodeJS.Timeout[] = [];
    const finish = (answer: Answer<"reach">) => {
      for (const timer of timers) clearInterval(timer);
      socket.close();
      resolve(answer);
    };
    socket.on("error", (error) => finish({ failed: codeOf(error) }));
    socket.on("message", (message) => finish({ seen: message.toString() }));
    // Without a callback, which would be called for a failure too.
    socket.connect(port, address);
    socket.once("connect", () => {
      const send = () => socket.send("hello", () => {}); // refusals come as errors of the socket
      timers.push(
        setInterval(send, 100),
        setTimeout(() => finish({ failed: "timeout" }), ms),
      );
      send();
    });
  });
}

async function reachByPing({ address, ms }: Reach): Promise<Answer<"reach">> {
  const seconds = String(Math.ceil(ms / 1000));
  const ping = spawn("busybox", ["ping", "-c", "1", "-W", seconds, address], { stdio: "ignore" });
  const timer = setTimeout(() => ping.kill("SIGKILL"), ms);
  await once(ping, "exit");
  clearTimeout(timer);
  return ping.exitCode === 0 ? { seen: "" } : { failed: ping.exitCode === null ? "timeout" : "no answer" };
}

async function lookUp(name: string): Promise<Answer<"lookup">> {
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address).sort();
  } catch (error) {
    return codeOf(error);
  }
}

function takeHeard(): readonly string[] {
  const sources = [...heard].sort();
  heard.clear();
  return sources;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

async function answer(request: AgentRequest): Promise<unknown> {
  switch (request.call) {
    case "reach":
      return reach(request.args);
    case "heard":
      return takeHeard();
    case "query":
      return queryName(request.args);
    case "lookup":
      return lookUp(request.args.name);
    case "read":
      return readFileSync(request.args.path, "utf8");
  }
}

function reply(line: AgentReply): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

await serve();
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const request = JSON.parse(line) as AgentRequest; // test/e2e/agent.ts wrote it
  answer(request).then(
    (result) => reply({ id: request.id, answer: result }),
    (error: unknown) => reply({ id: request.id, error: String(error) }),
  );
});
lines.once("close", () => process.exit(0));
reply({ id: 0 });
