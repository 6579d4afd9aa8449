export * from "./close-on-exec.ts";
export * from "./compare.ts";
export * from "./effects.ts";
export * from "./kernel.ts";
export * from "./kernel-error.ts";
export * from "./linux/index.ts";
export * from "./lock-file.ts";
export * from "./marks.ts";
export * from "./memory/index.ts";
export {
  type AddressGuard,
  AddressProber,
  type AddressQuestion,
  type HeldAddress,
  noGuard,
} from "./neighbours/index.ts";
export * from "./netns.ts";
export * from "./netns-ref.ts";
export * from "./nft-objects.ts";
export * from "./objects.ts";
export * from "./sockets.ts";
