// Installs from Debian the programs that the tests compare weft with. Does nothing when they are there.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Program, and the Debian package that has it. */
const tools = { ip: "iproute2", nft: "nftables", busybox: "busybox-static" };

const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
const isThere = (program) =>
  folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

const missing = Object.entries(tools)
  .filter(([program]) => !isThere(program))
  .map(([, name]) => name);
if (missing.length > 0) {
  console.log(`installing ${missing.join(", ")}`);
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const command of [
    ["update", "-q"],
    ["install", "-q", "-y", "--no-install-recommends", ...missing],
  ]) {
    const { status, error } = spawnSync("apt-get", command, {
      stdio: ["ignore", "ignore", "inherit"],
      env: environment,
    });
    if (status !== 0) {
      console.error(
        `apt-get ${command.join(" ")} failed${error ? `: ${error.message}` : ""}; the tests need ${missing.join(", ")}`,
      );
      process.exit(1);
    }
  }
}
