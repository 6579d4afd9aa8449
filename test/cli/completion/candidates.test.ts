import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleNetwork, sampleSummary } from "../../api/fake-service.ts";
import { weft, weftAt } from "../cli-fixture.ts";

const service = {
  networks: () => ["web", "back", "host"].map((Name) => ({ ...sampleNetwork, Name })),
  sandboxes: () => ["db", "dns", "web-1"].map((Name) => ({ ...sampleSummary, Name })),
};

/** What has been typed, `|` the cursor; what is offered, and what the shell offers besides. */
const table: readonly (readonly [typed: string, offered: string, besides?: string])[] = [
  ["net", "network"],
  ["st", "start stop store"],
  ["network ", "create ls inspect connect disconnect rm prune help"],
  ["network c", "create connect"],
  ["help net", "network"],
  ["help network cr", "create"],
  ["network create --ip", "--ip-range --ipv4 --ipv6 --ipam-driver --ipam-opt"],
  ["network create -d ", "bridge host ipvlan macvlan null"],
  ["network create --driver=b", "--driver=bridge"],
  ["network create we", ""],
  ["network inspect ", "web back host"],
  ["network inspect web b", "back"],
  ["network rm -", "--help"],
  ["network connect ", "web back host"],
  ["network connect web d", "db dns"],
  ["network connect web db ", ""],
  ["network connect --alias x web d", "db dns"],
  ["run --network w", "web"],
  ["run --net=w", "--net=web"],
  ["run --network container:d", "container:db container:dns"],
  ["run --rootfs ", "", "folders"],
  ["run --env-file=", "", "files"],
  ["run --restart o", "on-failure"],
  ["run -it bu", "", "commands"],
  ["run -it busybox l", "", "files"],
  ["run busybox --n", "", "files"],
  ["run --name x --ne", "--network --network-alias"],
  ["exec d", "db dns"],
  ["exec db ", "", "commands"],
  ["exec -e A=1 d", "db dns"],
  ["stop db d", "db dns"],
  ["stop -t ", ""],
  ["kill -s SIGU", "SIGUSR1 SIGUSR2"],
  ["logs d", "db dns"],
  ["logs db ", ""],
  ["sandbox inspect w", "web-1"],
  [
    "plan ",
    "network run exec ps logs attach start stop restart kill wait rm sandbox plan drift doctor events metrics up down daemon store info version completion gossip help",
  ],
  ["plan -", "--format --help"],
  ["plan network rm b", "back"],
  ["plan run --network w", "web"],
  ["up --root ", "", "folders"],
  ["up --config ", "", "files"],
  ["completion ", "bash zsh fish"],
  ["completion bash ", ""],
  ["-", "--host --version --help"],
  ["-H ", "", "files"],
  ["nonsense ", ""],
];

for (const [typed, offered, besides = "none"] of table) {
  test(`behind "weft ${typed}" is offered: ${offered || besides}`, async () => {
    const { status, stdout } = await weft(["__complete", "--", ...typed.split(" ")], { service });
    const lines = stdout.trimEnd().split("\n");
    const values = lines.slice(0, -1).map((line) => line.split("\t")[0]);
    assert.equal(values.join(" "), offered);
    assert.equal(lines.at(-1), `:${besides}`);
    assert.equal(status, 0);
  });
}

test("without a daemon no names are offered, and nobody hears of it", async () => {
  const outcome = await weftAt("/not/there", ["__complete", "--", "network", "rm", ""]);
  assert.deepEqual(outcome, { status: 0, stdout: ":none\n", stderr: "" });
});

test("names come from the daemon that -H names", async () => {
  const { stdout, calls } = await weft(["__complete", "--", "-H", "/not/there", "network", "rm", ""], {
    service,
  });
  assert.equal(stdout, ":none\n");
  assert.deepEqual(calls, []);
});
