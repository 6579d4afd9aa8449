// Adds to package-lock.json the platform packages that npm left out because its registry has none for
// other systems than ours; npm ci refuses a lock without them. Run it after changing a dependency.
import { readFileSync, writeFileSync } from "node:fs";

const file = "package-lock.json";
const lock = JSON.parse(readFileSync(file, "utf8"));
const { packages } = lock;

for (const { dev, optionalDependencies = {} } of Object.values(packages)) {
  for (const [name, range] of Object.entries(optionalDependencies)) {
    packages[`node_modules/${name}`] ??= platformPackage(name, range, dev);
  }
}

/** Its name ends in system, processor and perhaps C library: `cli-linux-x64-musl`. */
function platformPackage(name, range, dev) {
  const found = /(android|darwin|freebsd|linux|openbsd|win32)-([a-z0-9]+)(?:-(musl|glibc))?$/.exec(name);
  if (found === null) throw new Error(`${name} is missing in ${file}, and its name tells no platform`);
  const [, os, cpu, libc] = found;
  return {
    version: range.replace(/^[\^~]/, ""),
    cpu: [cpu],
    ...(dev ? { dev } : {}),
    ...(libc === undefined ? {} : { libc: [libc] }),
    optional: true,
    os: [os],
  };
}

const [root, ...rest] = Object.entries(packages);
lock.packages = Object.fromEntries([root, ...rest.sort(([a], [b]) => (a < b ? -1 : 1))]);
writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
