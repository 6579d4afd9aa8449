import type { HostService } from "../api/index.ts";
import { isWeftError } from "../core/index.ts";

const measuredOperations = new Set<string>([
  "createNetwork",
  "network",
  "removeNetwork",
  "pruneNetworks",
  "connect",
  "disconnect",
  "createSandbox",
  "sandbox",
  "removeSandbox",
  "startSandbox",
  "stopSandbox",
  "killSandbox",
  "restartSandbox",
  "enterSandbox",
  "claimProcess",
  "drift",
  "repair",
  "doctor",
  "plan",
] satisfies readonly (keyof HostService)[]);
/** Is told of every operation: how it came out, `ok` or the code of the refusal, and how long it took. */
export type Observe = (operation: string, outcome: string, seconds: number) => void;

/** `service` with its operations measured; streams and what is answered at once are not. */
export function measuredService(service: HostService, observe: Observe): HostService {
  const measure = async <T>(operation: string, work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    const tell = (outcome: string) => observe(operation, outcome, (performance.now() - start) / 1000);
    try {
      const result = await work();
      tell("ok");
      return result;
    } catch (error) {
      tell(isWeftError(error) ? error.code : "INTERNAL");
      throw error;
    }
  };
  return new Proxy(service, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function" || typeof name !== "string" || !measuredOperations.has(name))
        return typeof member === "function" ? member.bind(target) : member;
      return (...args: readonly unknown[]) => measure(name, async () => member.apply(target, args));
    },
  });
}
