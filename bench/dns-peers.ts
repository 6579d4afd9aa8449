// npm run bench:dns                          weft's resolver beside others, as tables
// npm run bench:dns -- --json                the same as JSON
// npm run bench:dns -- --rounds 21 --seconds 5
import { parseArgs } from "node:util";
import { withNetns } from "../test/netns-fixture.ts";
import { withAardvark } from "./dns-peers/aardvark.ts";
import { type DeletionFigures, deletions, type LatencyFigures } from "./dns-peers/deletions.ts";
import { withDocker } from "./dns-peers/docker.ts";
import { withEcho } from "./dns-peers/echo.ts";
import { type PeerFigures, underFullLoad } from "./dns-peers/full-load.ts";
import { withWeft } from "./dns-peers/weft.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "9" },
    seconds: { type: "string", default: "2" },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);

function printPeers(figures: readonly PeerFigures[]): void {
  console.log(`one known name, dnsperf -c 8 -q 200, medians of ${rounds} rounds of ${seconds} s in turn\n`);
  console.log(
    `${"".padEnd(28)}${"queries/s".padStart(11)}${"weft is".padStart(9)}${"median ms".padStart(11)}${"p99 ms".padStart(9)}${"lost".padStart(7)}`,
  );
  for (const { name, queriesPerSecond, weftTimes, medianMs, p99Ms, lost } of figures) {
    const rate = Math.round(queriesPerSecond).toLocaleString("en").padStart(11);
    const times = `${weftTimes.toFixed(2)} x`.padStart(9);
    const [median, p99] = [medianMs.toFixed(2).padStart(11), p99Ms.toFixed(2).padStart(9)];
    console.log(`${name.padEnd(28)}${rate}${times}${median}${p99}${String(lost).padStart(7)}`);
  }
}

function printDeletions({ networks, quiet, deleting }: DeletionFigures): void {
  console.log(`\nweft, one query at a time, medians of ${rounds} rounds\n`);
  console.log(
    `${"ms".padEnd(44)}${"answers".padStart(9)}${"median".padStart(9)}${"p99".padStart(9)}${"most".padStart(9)}${"lost".padStart(7)}`,
  );
  const row = (what: string, { answers, medianMs, p99Ms, maxMs, lost }: LatencyFigures) => {
    const times = [medianMs, p99Ms, maxMs].map((ms) => ms.toFixed(3).padStart(9)).join("");
    console.log(`${what.padEnd(44)}${String(answers).padStart(9)}${times}${String(lost).padStart(7)}`);
  };
  row("nothing else to do", quiet);
  row(`${networks} networks with a sandbox each are deleted`, deleting);
}

await withNetns(["weft", "docker", "podman", "echo"], async ({ weft, docker, podman, echo }) => {
  for (const host of [weft, docker, podman, echo]) host.exec("ip", "link", "set", "lo", "up");
  await withWeft(weft.path, async (ours) => {
    let peers: readonly PeerFigures[] = [];
    await withDocker(docker.path, (dockers) =>
      withAardvark(podman, (podmans) =>
        withEcho(echo, async (bare) => {
          peers = await underFullLoad([ours, dockers, podmans, bare], rounds, seconds);
        }),
      ),
    );
    const deleting = await deletions(ours, rounds, seconds);
    if (values.json) console.log(JSON.stringify({ peers, deleting }, undefined, 2));
    else {
      printPeers(peers);
      printDeletions(deleting);
    }
  });
});
