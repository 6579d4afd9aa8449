import type { TestContext } from "node:test";
import type { Store } from "../../src/store/index.ts";
import { testEntries } from "./compliance-entries.ts";
import { testModel } from "./compliance-model.ts";
import { testTransactions } from "./compliance-transactions.ts";
import { testWatching } from "./compliance-watching.ts";

/** Makes an empty store that is closed, and gone, when the test has ended. */
export type MakeStore = (t: TestContext) => Promise<Store>;

/** What every implementation of the Store contract must do. */
export function testStore(name: string, make: MakeStore): void {
  testEntries(name, make);
  testTransactions(name, make);
  testWatching(name, make);
  testModel(name, make);
}
