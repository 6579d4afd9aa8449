import type { Controller } from "../cnm/index.ts";
import type { Figure } from "./metrics.ts";

/** Figures of the model's parts for the metrics. */
export async function figuresOf(controller: Controller): Promise<readonly Figure[]> {
  const { repairs, repairedObjects } = controller.repairs;
  return [
    counter("repairs_total", "How often the host had to be put right by itself.", repairs),
    counter("repaired_objects_total", "Things that were put right by itself, in all.", repairedObjects),
  ];
}

function counter(name: string, help: string, value: number): Figure {
  return { name, help, counter: true, value };
}
