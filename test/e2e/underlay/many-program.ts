// Makes a macvlan network with many sandboxes and deletes all of it again, telling how far it is: `made N` and
// `deleted N` a line each. What it is to do is its argument, a ManyOrder in JSON.
import { Controller, type ControllerOptions } from "../../../src/index.ts";

/** What the program is to do. */
export interface ManyOrder {
  readonly options: ControllerOptions;
  readonly parent: string;
  readonly count: number;
}

/** How many are made or deleted side by side. */
const lanes = 25;

async function main({ options, parent, count }: ManyOrder): Promise<void> {
  const controller = await Controller.open(options);
  const network = await controller.createNetwork("macvlan", "many", { options: { parent } });
  await sideBySide(count, "made", (i) =>
    controller.createSandbox(`c${i}`, { endpoints: [{ network, name: `e${i}` }] }),
  );
  await sideBySide(count, "deleted", (i) => controller.sandbox(`c${i}`).delete());
  await network.delete();
  await controller.close();
}

async function sideBySide(count: number, word: string, work: (i: number) => Promise<unknown>): Promise<void> {
  let begun = 0;
  let ended = 0;
  const lane = async () => {
    while (begun < count) {
      await work(begun++);
      console.log(`${word} ${++ended}`);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

await main(JSON.parse(process.argv[2] ?? "") as ManyOrder); // many.ts wrote it
