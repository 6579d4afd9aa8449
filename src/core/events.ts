/** Takes a listener back; calling it twice does no harm. */
export type Unsubscribe = () => void;

/**
 * A typed source of events. Listeners run at once, in the order in which they came; what one throws
 * goes to `onError` and keeps none of the others from running.
 */
export class Events<T> {
  readonly #listeners = new Set<(event: T) => void>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void = rethrowLater) {
    this.#onError = onError;
  }

  /** Calls `listener` with each event from now on. */
  subscribe(listener: (event: T) => void): Unsubscribe {
    // A wrapper, so that one function subscribed twice is two subscriptions.
    const own = (event: T) => listener(event);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Tells every listener. */
  emit(event: T): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}

function rethrowLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
