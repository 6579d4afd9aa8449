import { needsKernel } from "../../needs-kernel.ts";
import { manyEndpoints } from "./many.ts";
import { uplink } from "./wire.ts";

needsKernel("802.1Q", "macvlan");

manyEndpoints(`${uplink}.10`);
