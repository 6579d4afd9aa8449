import { needsKernel } from "../../needs-kernel.ts";
import { manyEndpoints } from "./many.ts";
import { uplink } from "./wire.ts";

needsKernel("macvlan");

manyEndpoints(uplink);
