import { needsKernel } from "./needs-kernel.ts";
import { comesOutOnLinux, scenarioNames } from "./scenario-runner.ts";

needsKernel("macvlan");

for (const name of scenarioNames("macvlan")) comesOutOnLinux(name);
