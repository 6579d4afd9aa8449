import type { TestNetns } from "../netns-fixture.ts";

/** A flow through a published port, as DNAT leaves it. */
export interface PublishedFlow {
  readonly protocol: "tcp" | "udp" | "sctp";
  /** Where the client sends to. */
  readonly to: string;
  readonly port: number;
  /** The sandbox's address. */
  readonly behind: string;
  readonly client: string;
}

/** Puts a flow into a namespace's table, by conntrack(8). */
export function insertFlow(host: TestNetns, flow: PublishedFlow, ...more: readonly string[]): void {
  const { protocol, to, port, behind, client } = flow;
  const state = { tcp: ["--state", "ESTABLISHED"], udp: [], sctp: ["--state", "ESTABLISHED"] }[protocol];
  const tuples = ["-s", client, "-d", to, "-r", behind, "-q", client];
  const ports = [
    ...["--sport", "40000", "--dport", String(port)],
    ...["--reply-port-src", String(port), "--reply-port-dst", "40000"],
  ];
  const verification = protocol === "sctp" ? ["--orig-vtag", "1", "--reply-vtag", "2"] : [];
  host.exec(
    "conntrack",
    "-I",
    "-p",
    protocol,
    ...tuples,
    ...ports,
    ...state,
    ...verification,
    "-t",
    "60",
    ...more,
  );
}
