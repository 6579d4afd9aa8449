/** Something that listens on a descriptor it owns. */
export interface Listener {
  /** Stops listening; the descriptor is closed when it resolves. Calling it twice does no harm. */
  close(): Promise<void>;
}
