/** One figure of the daemon or the command line. */
export interface DaemonFigure {
  readonly what: string;
  readonly unit: "ms" | "MB" | "kB" | "s" | "";
  readonly figure: number;
  /** What it should stay below, where there is such a thing. */
  readonly aim?: number;
}

const [textWidth, width] = [80, 10];

/** The figures as lines. */
export function daemonTable(figures: readonly DaemonFigure[]): readonly string[] {
  return figures.map(({ what, unit, figure, aim }) => {
    const end = aim === undefined ? "" : `  (aim: below ${aim}${figure < aim ? "" : ", missed"})`;
    return `${what.padEnd(textWidth)}${figure.toFixed(1).padStart(width)} ${unit}${end}`.trimEnd();
  });
}
