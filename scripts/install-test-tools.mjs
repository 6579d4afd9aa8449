// Installs from Debian the programs that weft is compared with, and does nothing when they are there:
//   node scripts/install-test-tools.mjs         what the tests need
//   node scripts/install-test-tools.mjs bench   what the benches need besides
// No service is started or enabled by it: the tests start what they need in namespaces of their own.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Sets of programs, each with the Debian package that has it. */
const sets = JSON.parse(readFileSync(new URL("../test/debian-packages.json", import.meta.url), "utf8"));
/** What the packages of these programs would start now, and at every boot of a machine with systemd. */
const services = {
  dockerd: ["docker.service", "docker.socket"],
  containerd: ["containerd.service"],
  serf: ["serf.service"],
};
/** Asked by the install before it starts a service (Debian Policy 9.3.3.1); 101 says no. */
const policyFile = "/usr/sbin/policy-rc.d";
/** Somebody else may be installing something just now: apt-get waits for that, up to 300 seconds. */
const patience = ["-o", "DPkg::Lock::Timeout=300"];

const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin", "/usr/lib/podman"];
const isThere = (program) =>
  folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

const wanted = { ...sets.test, ...(process.argv.includes("bench") ? sets.bench : {}) };
const missing = Object.entries(wanted)
  .filter(([program]) => !isThere(program))
  .map(([, name]) => name);
if (missing.length > 0) {
  console.log(`installing ${missing.join(", ")}`);
  const newcomers = Object.keys(services).filter((program) => !isThere(program));
  const installed = withoutServices(() =>
    [
      ["apt-get", "update", "-q"],
      ["apt-get", "install", "-q", "-y", "--no-install-recommends", ...patience, ...missing],
    ].every(run),
  );
  if (!installed) process.exit(1);
  const enabled = newcomers.filter(isThere).flatMap((program) => services[program]);
  if (enabled.length > 0 && isThere("systemctl")) run(["systemctl", "--quiet", "disable", ...enabled]);
}

/** A policy that the machine has already is its owner's, and stays as it is. */
function withoutServices(work) {
  const ours = !existsSync(policyFile);
  // apt-get hears an interrupt too, and ends; what we wrote must go after that.
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {});
  if (ours) writeFileSync(policyFile, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    return work();
  } finally {
    if (ours) rmSync(policyFile);
  }
}

function run([program, ...args]) {
  const { status, error } = spawnSync(program, args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  if (status !== 0) console.error(`${program} ${args.join(" ")} failed${error ? `: ${error.message}` : ""}`);
  return status === 0;
}
