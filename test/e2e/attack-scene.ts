import assert from "node:assert/strict";
import { test } from "node:test";
import { runAll } from "../../src/core/index.ts";
import type { Network, NetworkOptions, Sandbox } from "../../src/index.ts";
import { linkOf, RawHost, RawLink, udp } from "../packets/index.ts";
import { type Attack, attack, families, labelled, labelsIn, type Station } from "./attack.ts";
import {
  addressesOf,
  bridgeNameOf,
  gatewaysOf,
  type PlainAddresses,
  subnetsOf,
} from "./sandbox-addresses.ts";
import { type TestHost, withHost } from "./test-host.ts";
import { until } from "./until.ts";
import { hostAddresses, joinToHost, outsideAddresses, routeTo, setSysctl } from "./uplink.ts";

/** What a port of the host leads to, on the victim: UDP and TCP. */
export const publishedPort = 8080;
/** The victim's port behind it. */
export const targetPort = 7777;
/** A port of the host's loopback addresses that leads to the next port of the victim. */
export const loopbackPort = 8081;
/** A port where nobody listens; raw sockets hear what comes to it. */
export const quietPort = 9;

/**
 * A host with a neighbour, and sandboxes on dual-stack networks: the attacker and an accomplice on `red`, the
 * victim on `blue`, where it publishes a port, and an insider on `inner`, which is internal.
 */
export interface AttackScene {
  readonly host: TestHost;
  readonly networks: Readonly<Record<"red" | "blue" | "inner", Network>>;
  readonly sandboxes: Readonly<Record<"attacker" | "accomplice" | "victim" | "insider", Sandbox>>;
  readonly attacker: Station;
  readonly accomplice: Station;
  readonly victim: Station;
  readonly insider: Station;
  readonly outside: Station;
  /** Sends what should not arrive; gives the lines `who heard what` of what did. */
  arrivals(attacks: readonly Attack[]): Promise<readonly string[]>;
  /** The same without br_netfilter and with it; `make` makes the packets of each time. */
  arrivalsEitherWay(make: () => readonly Attack[]): Promise<readonly string[]>;
  /** Sends it and waits until it has arrived. Throws when it does not. */
  arrives(ear: Ear, attack: Attack): Promise<void>;
}

/** Who listens: stations on their links, and the host to what its firewall lets through to it. */
export type Ear = (typeof ears)[number];

/** How the scene differs from its defaults. */
export interface SceneOptions {
  /** Of the networks red and blue. */
  readonly network?: NetworkOptions;
  /** Of the network inner. */
  readonly inner?: NetworkOptions;
  /** Before the host has any network. */
  readonly prepare?: (host: TestHost) => void;
}

/** Checks by name, one after another in one scene. */
export function attacks(
  who: string,
  checks: Readonly<Record<string, (scene: AttackScene) => Promise<void>>>,
  options?: SceneOptions,
): void {
  void test(who, (context) =>
    withScene(async (scene) => {
      for (const [name, check] of Object.entries(checks)) await context.test(name, () => check(scene));
    }, options),
  );
}

/** Runs `work` with a scene of its own. */
function withScene(
  work: (scene: AttackScene) => Promise<void>,
  { network = {}, inner = {}, prepare }: SceneOptions = {},
): Promise<void> {
  return withHost(async (host) => {
    await joinToHost(host);
    prepare?.(host);
    const scene = await Scene.build(host, network, inner);
    let failed = true;
    try {
      await scene.warmUp();
      await work(scene);
      failed = false;
    } finally {
      await scene.close().catch((error: unknown) => {
        if (!failed) throw error;
      });
    }
  });
}

/** Bridged packets meet the host's IP rules with "1", and not with "0". */
export function setBridgeNetfilter({ netns }: TestHost, value: "0" | "1"): void {
  for (const name of ["bridge-nf-call-iptables", "bridge-nf-call-ip6tables"])
    setSysctl(netns, `net/bridge/${name}`, value);
}

const stationNames = ["attacker", "accomplice", "victim", "insider", "outside"] as const;
const ears = [...stationNames, "host"] as const;

class Scene implements AttackScene {
  readonly host: TestHost;
  readonly networks: AttackScene["networks"];
  readonly sandboxes: AttackScene["sandboxes"];
  readonly attacker: Station;
  readonly accomplice: Station;
  readonly victim: Station;
  readonly insider: Station;
  readonly outside: Station;
  readonly #hostEar: RawHost;
  #controls = 0;

  private constructor(
    host: TestHost,
    networks: AttackScene["networks"],
    sandboxes: AttackScene["sandboxes"],
    stations: Readonly<Record<keyof AttackScene["sandboxes"] | "outside", Station>>,
  ) {
    this.host = host;
    this.networks = networks;
    this.sandboxes = sandboxes;
    this.attacker = stations.attacker;
    this.accomplice = stations.accomplice;
    this.victim = stations.victim;
    this.insider = stations.insider;
    this.outside = stations.outside;
    this.#hostEar = RawHost.open(host.netns.path);
  }

  static async build(host: TestHost, options: NetworkOptions, inner: NetworkOptions): Promise<Scene> {
    const { controller } = host;
    const networks = {
      red: await controller.createNetwork("bridge", "red", { ipv6: true, ...options }),
      blue: await controller.createNetwork("bridge", "blue", { ipv6: true, ...options }),
      inner: await controller.createNetwork("bridge", "inner", { ipv6: true, internal: true, ...inner }),
    };
    for (const network of Object.values(networks))
      for (const subnet of subnetsOf(network)) routeTo(host, subnet);
    const join = (name: string, network: Network, ports: readonly string[] = []) =>
      controller.createSandbox(name, { ports, endpoints: [{ network }] });
    const sandboxes = {
      attacker: await join("attacker", networks.red),
      accomplice: await join("accomplice", networks.red),
      victim: await join("victim", networks.blue, [
        ...bothProtocols(`${publishedPort}:${targetPort}`),
        ...bothProtocols(`127.0.0.1:${loopbackPort}:${targetPort + 1}`),
        ...bothProtocols(`[::1]:${loopbackPort}:${targetPort + 1}`),
      ]),
      insider: await join("insider", networks.inner),
    };
    const station = (name: keyof typeof sandboxes, network: Network) =>
      stationIn(host, sandboxes[name], network);
    return new Scene(host, networks, sandboxes, {
      attacker: await station("attacker", networks.red),
      accomplice: await station("accomplice", networks.red),
      victim: await station("victim", networks.blue),
      insider: await station("insider", networks.inner),
      outside: {
        link: RawLink.open(host.outside.path, "wire0"),
        addresses: outsideAddresses,
        hostMac: linkOf(host.netns.path, "up0").mac,
        gateways: hostAddresses,
      },
    });
  }

  /** What may arrive from whom, for both families: it tells when everything sent before it was dealt with. */
  #controlled(): readonly (readonly [from: Station, ear: Ear, target: PlainAddresses, port: number])[] {
    return [
      [this.attacker, "victim", hostAddresses, publishedPort],
      [this.attacker, "outside", outsideAddresses, quietPort],
      [this.attacker, "host", this.attacker.gateways, quietPort],
      [this.outside, "victim", hostAddresses, publishedPort],
      [this.outside, "host", hostAddresses, quietPort],
      [this.accomplice, "host", this.accomplice.gateways, quietPort],
      [this.victim, "host", this.victim.gateways, quietPort],
      [this.insider, "host", this.insider.gateways, quietPort],
    ];
  }

  async warmUp(): Promise<void> {
    await this.#afterControls();
  }

  async arrivals(attacks: readonly Attack[]): Promise<readonly string[]> {
    for (const ear of ears) this.#listen(ear); // to what came before
    for (const { from, frame } of attacks) from.link.send(frame);
    const heard = await this.#afterControls();
    return ears.flatMap((ear) => {
      // Its own sender may be told what became of it.
      const others = attacks.filter(({ from }) => ear === "host" || from !== this[ear]);
      const labels = new Set(labelsIn(others.map(({ frame }) => frame)));
      const found = [...(heard.get(ear) ?? [])].filter((label) => labels.has(label));
      return found.map((label) => `${ear} heard ${label}`);
    });
  }

  async arrivalsEitherWay(make: () => readonly Attack[]): Promise<readonly string[]> {
    const found: string[] = [];
    for (const bridgeNetfilter of ["0", "1"] as const) {
      setBridgeNetfilter(this.host, bridgeNetfilter);
      const lines = await this.arrivals(make());
      found.push(...lines.map((line) => `${line}, br_netfilter ${bridgeNetfilter}`));
    }
    return found;
  }

  async arrives(ear: Ear, { from, frame }: Attack): Promise<void> {
    const [label = ""] = labelsIn([frame]);
    const heard: string[] = [];
    from.link.send(frame);
    await until(
      `the ${ear} hears ${label}`,
      () => {
        heard.push(...labelsIn(this.#listen(ear)));
        return heard.includes(label);
      },
      () => heard.join(", "),
    );
  }

  #listen(ear: Ear): readonly Buffer[] {
    return ear === "host" ? this.#hostEar.heard() : this[ear].link.heard();
  }

  /** Sends a control each way; gives all labels that were heard by the time the last of them was. */
  async #afterControls(): Promise<ReadonlyMap<Ear, ReadonlySet<string>>> {
    const expected: { readonly ear: Ear; readonly label: string }[] = [];
    for (const family of families) {
      for (const [from, ear, target, port] of this.#controlled()) {
        if (target[family] === "") continue; // the host has no address there
        const label = `control ${++this.#controls} over ${family}`;
        const route = { source: from.addresses[family], target: target[family] };
        // A port of its own: a flow that a former control made would be another way.
        from.link.send(attack(from, route, udp(20_000 + this.#controls, port, labelled(label))).frame);
        expected.push({ ear, label });
      }
    }
    const heard = new Map<Ear, Set<string>>(ears.map((ear) => [ear, new Set()]));
    const missing = () => expected.filter(({ ear, label }) => !heard.get(ear)?.has(label));
    await until(
      "everybody heard the controls",
      () => {
        for (const ear of ears) for (const label of labelsIn(this.#listen(ear))) heard.get(ear)?.add(label);
        return missing().length === 0;
      },
      () => JSON.stringify(missing()),
    );
    return heard;
  }

  async close(): Promise<void> {
    this.#hostEar.close();
    await runAll(
      "close the links",
      stationNames.map((name) => () => this[name].link.close()),
    );
  }
}

function bothProtocols(port: string): readonly string[] {
  return [port, `${port}/udp`];
}

async function stationIn(host: TestHost, sandbox: Sandbox, network: Network): Promise<Station> {
  const addresses = await addressesOf(sandbox);
  assert.ok(addresses.ipv4 !== "" && addresses.ipv6 !== "");
  return {
    link: RawLink.open(sandbox.key, "eth0"),
    addresses,
    hostMac: linkOf(host.netns.path, bridgeNameOf(network)).mac,
    gateways: gatewaysOf(network),
  };
}
