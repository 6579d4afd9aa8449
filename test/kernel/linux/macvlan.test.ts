import { needsKernel } from "../../needs-kernel.ts";
import { macvlanCompliance } from "../link-kinds-compliance.ts";
import { onLinuxHost } from "./on-linux.ts";

needsKernel("macvlan");

macvlanCompliance("Linux", onLinuxHost);
