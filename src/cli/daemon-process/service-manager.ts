import { messageOf } from "../../core/errors.ts";

/** Where systemd hears from a service that it starts as Type=notify (sd_notify(3)). */
const socketVariable = "NOTIFY_SOCKET";

/** Whoever started this program as a service and waits to hear of it; nobody, when it was started otherwise. */
export class ServiceManager {
  readonly #send: ((text: string) => void) | undefined;
  readonly #onError: (message: string) => void;

  private constructor(send: ((text: string) => void) | undefined, onError: (message: string) => void) {
    this.#send = send;
    this.#onError = onError;
  }

  /**
   * The one that the environment names, which is struck from it: what this program starts does not speak for it.
   * `onError` hears what cannot be told.
   */
  static async of(
    env: Record<string, string | undefined>,
    onError: (message: string) => void,
  ): Promise<ServiceManager> {
    const address = env[socketVariable];
    delete env[socketVariable];
    if (address === undefined || address === "") return new ServiceManager(undefined, onError);
    const { sendUnixDatagram } = await import("../../kernel/index.ts");
    return new ServiceManager((text) => sendUnixDatagram(address, Buffer.from(text)), onError);
  }

  /** The service does its work from now on. */
  ready(status: string): void {
    this.#tell("READY=1", status);
  }

  /** It has begun to end. */
  stopping(status: string): void {
    this.#tell("STOPPING=1", status);
  }

  /** What it does, a line for people: `systemctl status` shows it. */
  status(status: string): void {
    this.#tell(status);
  }

  /** The last of `words` is the status; the others are assignments. */
  #tell(...words: readonly string[]): void {
    const assignments = words.slice(0, -1);
    const status = (words.at(-1) ?? "").replaceAll(/\s*\n\s*/g, "; ");
    try {
      this.#send?.([...assignments, `STATUS=${status}`].join("\n"));
    } catch (error) {
      this.#onError(`cannot tell the service manager: ${messageOf(error)}`);
    }
  }
}
