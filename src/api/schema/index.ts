export * from "./error.ts";
export * from "./host.ts";
export * from "./network.ts";
export * from "./sandbox.ts";
export * from "./words.ts";
