export * from "./cluster.ts";
export * from "./environment.ts";
