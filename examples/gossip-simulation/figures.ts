/** What a simulation is run with. */
export interface SimulationInit {
  readonly nodes: number;
  /** Share of packets that are lost, 0 to 1. */
  readonly loss: number;
  readonly seed: number;
  /** How long, in virtual seconds; at least 40, for a death to be noticed. */
  readonly seconds: number;
  /** How long a packet takes, ms. */
  readonly delay: readonly [least: number, most: number];
  /** Share of packets that come twice. */
  readonly duplication: number;
  readonly profile: "lan" | "wan" | "local";
  /** With AES-GCM, which costs real time and changes no virtual one. */
  readonly encrypt: boolean;
}

/** The parts of the cluster for which the time is told. */
export const shares = [0.5, 0.9, 0.99, 1] as const;

/** What was found. Times in ms of virtual time. */
export interface Figures {
  readonly init: SimulationInit;
  /** How many updates were followed, and how many of them reached everybody before the next one. */
  readonly updates: number;
  readonly complete: number;
  /** For each of {@link shares}, when that part of the nodes knew; the median of the updates. Undefined: never. */
  readonly convergence: readonly (number | undefined)[];
  /** Part of the nodes that knew at each multiple of {@link curveStep}, the mean of the updates. */
  readonly curve: readonly number[];
  /** Bytes sent by each node in each second, UDP payload and TCP, before anybody died. */
  readonly bytesPerNodeSecond: number;
  readonly packetsPerNodeSecond: number;
  /** Times that a living node was suspected by one that probed it, in all. */
  readonly falseSuspicions: number;
  /** Times that a node took a living one for dead, in all. */
  readonly falseDeaths: number;
  /** From the death of a node until the first one, half, and all of the others knew. Undefined: not in time. */
  readonly detection: {
    readonly first: number | undefined;
    readonly half: number | undefined;
    readonly all: number | undefined;
  };
  /** Real time that it took. */
  readonly realSeconds: number;
}

/** Resolution of {@link Figures.curve}, ms. */
export const curveStep = 50;

/** The middle one; of an even number the lower. Undefined when there are none. */
export function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
}
