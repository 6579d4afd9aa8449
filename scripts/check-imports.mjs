// Holds the order of folders: an import goes down this list or stays in its folder, and enters another
// folder only by a door. Prints every breach, and import cycles, and exits 1 when there is one.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** Highest first. Folders that are still to come keep their place. */
const order = [
  "cli",
  "lab",
  "daemon",
  "api",
  "cluster",
  "runtime",
  "cnm",
  "drivers",
  "balancer",
  "ports",
  "dns",
  "ipam",
  "facts",
  "plan",
  "kernel",
  "gossip",
  "store",
  "core",
];
/** Doors besides each folder's index.ts, and who may use them; docs/architecture.md says why. */
const moreDoors = new Map([
  ["kernel/netlink/index.ts", order],
  // The command line asks the daemon and ends: the client loads neither the schemas nor the server,
  // and of core errors alone.
  ["api/client/index.ts", ["cli", "lab"]],
  // The words of errors alone: all of core would be a tenth of what the command line may take.
  ["core/errors.ts", ["cli", "api"]],
  ["core/error-catalogue.ts", ["cli", "api"]],
  // A command's first program loads no more of weft than it needs: that time is added to every start.
  // The threads of the port proxies and of the resolver have no use for netlink either.
  ["kernel/syscalls.ts", ["runtime", "ports", "dns"]],
  ["kernel/kernel-error.ts", ["runtime", "ports"]],
  ["kernel/classic-bpf.ts", ["runtime"]],
  ["kernel/client-sockets.ts", ["dns"]],
  ["kernel/datagram-batch.ts", ["dns"]],
]);
/** Folders that only these may import. */
const only = new Map([["gossip", ["cluster", "cli"]]]);

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "src");
const breaches = [];
const graph = new Map();

for (const file of sourceFiles(root)) {
  const from = relative(root, file);
  const targets = imports(readFileSync(file, "utf8")).map((target) => normalize(join(dirname(from), target)));
  graph.set(from, targets);
  for (const target of targets) check(from, target);
}
for (const cycle of cycles()) breaches.push(`import cycle: ${cycle.join(" -> ")}`);

for (const breach of breaches) console.error(breach);
if (breaches.length > 0) process.exit(1);
console.log(`${graph.size} files: every import goes down, by a door, in no circle`);

function sourceFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

function imports(text) {
  return [...text.matchAll(/^(?:import|export)\b[^;]*?from\s+"(\.[^"]+)"/gms)].map((match) => match[1]);
}

function check(from, target) {
  const [source] = from.split("/");
  const [destination] = target.split("/");
  if (target.startsWith("..")) return breaches.push(`${from} imports ${target}, which is outside of src/`);
  if (!from.includes("/") || source === destination) return;
  const [a, b] = [order.indexOf(source), order.indexOf(destination)];
  if (a < 0) return breaches.push(`${from}: the folder ${source} has no place in the order`);
  if (b < a) breaches.push(`${from} imports ${target}: an import goes down, never up`);
  const door = target === `${destination}/index.ts` || moreDoors.get(target)?.includes(source);
  if (!door) breaches.push(`${from} imports ${target}, which is no door`);
  const allowed = only.get(destination);
  if (allowed !== undefined && !allowed.includes(source))
    breaches.push(`${from} imports ${destination}, which is for ${allowed.join(" and ")}`);
}

/** Strongly connected files, each once (Tarjan's way would find the same; the graph is small). */
function cycles() {
  const found = [];
  const done = new Set();
  const path = [];
  const visit = (file) => {
    const at = path.indexOf(file);
    if (at >= 0) return found.push([...path.slice(at), file]);
    if (done.has(file)) return;
    path.push(file);
    for (const target of graph.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return found;
}
