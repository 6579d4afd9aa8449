export { cacheFolder, type DebianKernel, debianKernel } from "./debian-kernel.ts";
export { type GuestCommand, runInGuest } from "./guest.ts";
export { divide, findTestFiles, kernelTests, type TestFile } from "./test-files.ts";
