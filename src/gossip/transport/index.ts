export * from "./entered-sockets.ts";
export * from "./memory-network.ts";
export * from "./socket-transport.ts";
export * from "./sockets.ts";
export * from "./transport.ts";
