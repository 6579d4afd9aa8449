/**
 * Begins `work` in the next turn of the event loop, so that it is done while something else is waited for, and
 * gives what hands its result over, at any time: when it has not begun by then, it is done at once. `work` must
 * change nothing, for nobody may come for its result; when it throws, whoever comes hears of it.
 */
export function ahead<T>(work: () => T): () => T {
  let outcome: { readonly result: T } | undefined;
  const take = (): T => {
    outcome ??= { result: work() };
    return outcome.result;
  };
  const turn = setImmediate(() => {
    try {
      take();
    } catch {
      // thrown again to whoever takes it
    }
  });
  return () => {
    clearImmediate(turn);
    return take();
  };
}
