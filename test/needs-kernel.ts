import { type FeatureName, probeFeatures } from "../src/facts/index.ts";

/**
 * Says which features of the kernel the tests of a file need besides those that every one of weft's tests
 * does. It stands at the left margin of the file, below its imports, with the names as plain text:
 *
 *     needsKernel("802.1Q", "ipvlan");
 *
 * for scripts/test.mjs reads it without running the file: where the running kernel lacks one, the file runs in
 * a guest with Debian's kernel (CONTRIBUTING.md, "A full kernel"). Throws, and so fails the file, on a kernel that lacks one.
 */
export function needsKernel(...names: readonly FeatureName[]): void {
  const missing = probeFeatures(names).filter(({ available }) => !available);
  if (missing.length === 0) return;
  const words = missing.map(({ name, module }) => `${name} (module ${module})`).join(", ");
  throw new Error(`this kernel lacks ${words}; npm run test:vm runs these tests on one that has it`);
}
