import { elementCounts, type PacketCostRow, packetCost } from "./packet-cost.ts";
import { type PortScaleFigure, publishing } from "./publishing.ts";

/** The name of this part of the bench. */
export const portScalePart = "port-scale";

/** What many published ports cost: whoever publishes them, and every packet. */
export interface PortScale {
  readonly publishing: readonly PortScaleFigure[];
  readonly packets: readonly PacketCostRow[];
}

/** Measures it, in some three minutes. */
export async function portScale(rounds: number): Promise<PortScale> {
  return { publishing: await publishing(rounds), packets: await packetCost(rounds) };
}

/** The figures as lines. */
export function portScaleTable({ publishing: figures, packets }: PortScale): readonly string[] {
  const [few, many] = elementCounts;
  return [
    ...figures.map(({ what, unit, figure }) => `${what.padEnd(62)}${figure.toFixed(1).padStart(10)} ${unit}`),
    "",
    `${"a second, with so many elements in the maps".padEnd(62)}${String(few).padStart(10)}${String(many).padStart(10)}${"costs".padStart(10)}`,
    ...packets.map(({ what, rates, cost }) => {
      const cells = elementCounts.map((count) => rates[count].toFixed(0).padStart(10)).join("");
      return `${what.padEnd(62)}${cells}${`${cost.toFixed(2)} x`.padStart(10)}`;
    }),
  ];
}
