import { needsKernel } from "./needs-kernel.ts";
import { comesOutOnLinux, scenarioNames } from "./scenario-runner.ts";

needsKernel("802.1Q", "dummy", "ipvlan", "macvlan");

for (const name of scenarioNames("full-kernel")) comesOutOnLinux(name);
