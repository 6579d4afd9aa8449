import { FairShare } from "../fair-share.ts";

/** Places for sockets towards servers, as one user of them sees these. */
export interface ServerPlaces<Server> {
  /** Takes one for a socket towards `server`; false when there is none for this user. */
  take(server: Server): boolean;
  /** Gives one back. */
  give(server: Server): void;
}

/**
 * A number of places for sockets, shared fairly between servers, so that a silent one cannot hold them all,
 * and those of a server between its users, so that neither can a user who asks for what makes it silent.
 * One user at one server gets at most a third of all; whatever others hold, there is a place for one more.
 */
export class SocketPlaces<Server, User> {
  readonly #servers: FairShare<Server>;
  readonly #users = new Map<Server, Map<User, number>>();

  constructor(places: number) {
    this.#servers = new FairShare(places);
  }

  /** How many places are taken. */
  get taken(): number {
    return this.#servers.taken;
  }

  /** The places as `user` sees them. */
  of(user: User): ServerPlaces<Server> {
    return { take: (server) => this.#take(server, user), give: (server) => this.#give(server, user) };
  }

  #take(server: Server, user: User): boolean {
    const users = this.#users.get(server) ?? new Map<User, number>();
    const own = users.get(user) ?? 0;
    // What the server may still have is divided as all of it is: each user may have as much as is left.
    if (own >= this.#servers.left - this.#servers.takenBy(server)) return false;
    this.#servers.take(server);
    users.set(user, own + 1);
    this.#users.set(server, users);
    return true;
  }

  #give(server: Server, user: User): void {
    const users = this.#users.get(server);
    const own = users?.get(user);
    if (users === undefined || own === undefined) return;
    this.#servers.give(server);
    if (own > 1) users.set(user, own - 1);
    else users.delete(user);
    if (users.size === 0) this.#users.delete(server);
  }
}
