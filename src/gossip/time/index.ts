export * from "./dice.ts";
export * from "./system-timers.ts";
export * from "./virtual-timers.ts";
