import { needsKernel } from "../../needs-kernel.ts";
import { linkKindsCompliance } from "../link-kinds-compliance.ts";
import { onLinuxHost } from "./on-linux.ts";

needsKernel("macvlan", "ipvlan", "802.1Q", "dummy");

linkKindsCompliance("Linux", onLinuxHost);
