/** Packets made by hand, and the raw sockets that send and hear them: what an attacker has. */
export * from "./ethernet.ts";
export * from "./internet.ts";
export * from "./messages.ts";
export * from "./neighbour-discovery.ts";
export * from "./raw-host.ts";
export * from "./raw-link.ts";
