export { ipvlanFlagOf } from "./link-specs.ts";
export { LinuxKernel } from "./linux-kernel.ts";
