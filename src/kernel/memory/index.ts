export * from "./memory-kernel.ts";
