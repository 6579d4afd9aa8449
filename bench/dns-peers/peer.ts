/** The name that every peer knows and is asked for, with one IPv4 address. */
export const knownName = "web";

/** A name server that runs, and where it is asked from. */
export interface NamePeer {
  /** What the table calls it. */
  readonly name: string;
  /** The path of the network namespace that a client asks from. */
  readonly netns: string;
  /** Its address there, port 53. */
  readonly server: string;
}
