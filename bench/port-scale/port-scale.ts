import { type PacketCostRow, packetCost } from "./packet-cost.ts";
import { type PortScaleFigure, publishing } from "./publishing.ts";
import { elementCounts } from "./two-hosts.ts";

/** The name of this part of the bench. */
export const portScalePart = "port-scale";

/** What many published ports cost: whoever publishes them, and every packet. */
export interface PortScale {
  readonly publishing: readonly PortScaleFigure[];
  readonly packets: readonly PacketCostRow[];
}

/** Measures it, in some four minutes. */
export async function portScale(rounds: number): Promise<PortScale> {
  return { publishing: await publishing(rounds), packets: await packetCost(rounds) };
}

const [textWidth, width] = [62, 11];

/** The figures as lines. */
export function portScaleTable({ publishing: figures, packets }: PortScale): readonly string[] {
  const cell = (text: string | number) => String(text).padStart(width);
  const [few, many] = elementCounts;
  return [
    ...figures.map(({ what, unit, figure }) => `${what.padEnd(textWidth)}${cell(figure.toFixed(1))} ${unit}`),
    "",
    `${"with so many elements in the maps".padEnd(textWidth + width)}${cell(few)}${cell(many)}${cell("costs")}`,
    ...packets.map((row) => {
      const digits = row.unit === "µs" ? 2 : 0;
      const cells = elementCounts.map((count) => cell(row.figures[count].toFixed(digits))).join("");
      return `${row.what.padEnd(textWidth)}${row.unit.padEnd(width)}${cells}${cell(`${row.cost.toFixed(2)} x`)}`;
    }),
  ];
}
