import { curveStep, type Figures } from "./figures.ts";
import { publishedShare } from "./published-model.ts";

const width = 720;
const height = 360;
const margin = { left: 56, right: 16, top: 40, bottom: 44 };
const inner = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };

/** Who knew when, as an SVG: what was measured, and Serf's published model. */
export function chart({ init, curve }: Figures): string {
  const last = (curve.length - 1) * curveStep;
  const x = (ms: number) => (margin.left + (ms / last) * inner.width).toFixed(1);
  const y = (share: number) => (margin.top + (1 - share) * inner.height).toFixed(1);
  const path = (points: readonly (readonly [number, number])[]) =>
    points.map(([ms, share], i) => `${i === 0 ? "M" : "L"}${x(ms)} ${y(share)}`).join("");
  const measured = curve.map((share, i) => [i * curveStep, share] as const);
  const model = curve.map(
    (_, i) => [i * curveStep, publishedShare(init.nodes, init.loss, i * curveStep)] as const,
  );
  const seconds = Array.from({ length: Math.floor(last / 1000) + 1 }, (_, i) => i);
  const percents = [0, 25, 50, 75, 100];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${margin.left}" y="22" font-size="14">Nodes that know an update: ${init.nodes} nodes, ${init.loss * 100} % loss</text>`,
    ...percents.map(
      (percent) =>
        `<path d="M${margin.left} ${y(percent / 100)}h${inner.width}" stroke="#ddd"/><text x="${margin.left - 8}" y="${y(percent / 100)}" dy="4" text-anchor="end">${percent} %</text>`,
    ),
    ...seconds.map((s) => `<text x="${x(1000 * s)}" y="${height - 24}" text-anchor="middle">${s} s</text>`),
    `<path d="${path(model)}" fill="none" stroke="#999" stroke-width="2" stroke-dasharray="5 4"/>`,
    `<path d="${path(measured)}" fill="none" stroke="#0a7d4f" stroke-width="2.5"/>`,
    `<text x="${width - 20}" y="${height - 70}" text-anchor="end" fill="#0a7d4f">weft, simulated</text>`,
    `<text x="${width - 20}" y="${height - 54}" text-anchor="end" fill="#777">Serf's published model</text>`,
    "</svg>",
    "",
  ].join("\n");
}
