import { MemoryStore } from "../../src/store/index.ts";
import { atEnd } from "./cleanup.ts";
import { testStore } from "./store-compliance.ts";

testStore("MemoryStore", async (t) => {
  const store = new MemoryStore();
  atEnd(t, () => store.close());
  return store;
});
