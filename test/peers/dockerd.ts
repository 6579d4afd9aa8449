import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { until } from "../e2e/until.ts";
import { busyboxImage } from "./busybox-image.ts";
import { cgroupsCalled, removeCgroup } from "./cgroups.ts";
import { type Container, DockerEngine } from "./docker-engine.ts";
import { findProgram, printed, spawnIn } from "./programs.ts";

/** What a daemon is started with: the names of Docker's daemon.json. */
export interface DaemonConfig {
  readonly iptables?: boolean;
  readonly ip6tables?: boolean;
  readonly experimental?: boolean;
  readonly "userland-proxy"?: boolean;
  /** What works is found by dockerd if not said: overlay2 here, vfs where the temporary folder allows no more. */
  readonly "storage-driver"?: "overlay2" | "vfs";
  readonly bip?: string;
  readonly "default-address-pools"?: readonly { readonly base: string; readonly size: number }[];
  readonly dns?: readonly string[];
  readonly debug?: boolean;
}

/** How long a daemon may take to listen, ms. */
const startLimitMs = 180_000;
const folderPrefix = "weft-dockerd-";
const resolvConf = "nameserver 192.0.2.53\nsearch example.test\n";

/**
 * Makes a machine of its own out of what `unshare` made, and becomes dockerd. Its first argument is the
 * folder of the daemon, its second the name of the control group for containers. What dockerd would write
 * to the machine's own /etc and /opt (a key, folders of containerd) goes to a tmpfs, and so does /run, where
 * it would find the machine's own containerd and plugins. A sysfs mounted here shows the links of this
 * network namespace. Namespaces that are mounted outside would live as long as their copies here; some go
 * by themselves meanwhile.
 */
const setUp = `
set -eu
sed -n 's/^[^ ]* [^ ]* [^ ]* [^ ]* \\([^ ]*\\) .* - nsfs .*/\\1/p' /proc/self/mountinfo |
  while read -r point; do umount -l "$point" || [ ! -e "$point" ]; done
mkdir "$1/cgroup"
mount --rbind /sys/fs/cgroup "$1/cgroup"
mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
mount --move "$1/cgroup" /sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs /run
for folder in etc opt; do
  mkdir -p "/run/over/$folder/upper" "/run/over/$folder/work"
  mount -t overlay -o "lowerdir=/$folder,upperdir=/run/over/$folder/upper,workdir=/run/over/$folder/work" overlay "/$folder"
done
rm -f /etc/resolv.conf
cp "$1/resolv.conf" /etc/resolv.conf
exec dockerd --config-file "$1/daemon.json" --data-root "$1/data" --exec-root "$1/exec" \\
  --pidfile "$1/dockerd.pid" --host "unix://$1/docker.sock" --cgroup-parent "/$2"
`;

/**
 * Docker's daemon in a network namespace of a test, with mount and PID namespaces of its own: when the first
 * process of those ends, containerd, shims, proxies and containers end with it, and every mount is gone.
 */
export class Dockerd {
  readonly engine: DockerEngine;
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #stopped: Promise<void> | undefined;

  private constructor(netns: string, config: DaemonConfig) {
    this.#folder = realpathSync(mkdtempSync(join(tmpdir(), `${folderPrefix}${process.pid}-`)));
    try {
      writeFileSync(join(this.#folder, "daemon.json"), JSON.stringify(config));
      writeFileSync(join(this.#folder, "resolv.conf"), resolvConf);
      this.#child = spawnDaemon(netns, this.#folder);
    } catch (error) {
      rmSync(this.#folder, { recursive: true });
      throw error;
    }
    this.#closed = once(this.#child, "close");
    this.engine = new DockerEngine(this.socketPath);
  }

  /** Starts one in the network namespace at `netns`. Throws with its last words when it does not come up; then nothing is left. */
  static async start(netns: string, config: DaemonConfig = {}): Promise<Dockerd> {
    for (const program of ["dockerd", "containerd", "runc", "iptables"]) findProgram(program);
    removeLeftovers();
    const dockerd = new Dockerd(netns, config);
    try {
      await printed(dockerd.#child, "API listen on", startLimitMs);
    } catch (error) {
      await dockerd.stop();
      throw new Error(`dockerd: ${error instanceof Error ? error.message : error}`);
    }
    return dockerd;
  }

  /** Where it listens. */
  get socketPath(): string {
    return join(this.#folder, "docker.sock");
  }

  /** Imports the image that containers are made of. */
  async importBusybox(): Promise<void> {
    const folder = join(this.#folder, "image");
    mkdirSync(folder);
    await this.engine.importImage(await busyboxImage(folder));
    rmSync(folder, { recursive: true });
  }

  /** The process id of a running container, as this machine counts. */
  async pidOf(container: Container): Promise<number> {
    const { State } = await this.engine.inspect(container);
    const init = this.#init();
    if (init === undefined) throw new Error("dockerd has ended");
    if (!State.Running) throw new Error(`${container.name} does not run`);
    const mounts = readlinkSync(`/proc/${init}/root/proc/${State.Pid}/ns/mnt`);
    const pid = readdirSync("/proc").find((name) => isProcess(name, State.Pid, mounts));
    if (pid === undefined) throw new Error(`${container.name} has ended`);
    return Number(pid);
  }

  /** A path to the network namespace of a running container. */
  async netnsOf(container: Container): Promise<string> {
    return `/proc/${await this.pidOf(container)}/ns/net`;
  }

  /** Ends it with everything that it started. What it made in the network namespace (bridges, rules) stays there. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.engine.api.close();
    const init = this.#init();
    try {
      // Its parent is to see it end: it waits until all in the PID namespace have ended.
      if (init === undefined) this.#child.kill("SIGKILL");
      else process.kill(init, "SIGKILL");
    } catch {
      // It has ended by itself just now.
    }
    await this.#closed;
    await remove(this.#folder);
  }

  /** The first process of the PID namespace; undefined once it has ended. */
  #init(): number | undefined {
    const { pid, exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return undefined;
    try {
      const [init = ""] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ");
      return init === "" ? undefined : Number(init);
    } catch {
      return undefined;
    }
  }
}

/** Runs `work` with a daemon that is stopped afterwards, also when it throws. */
export async function withDockerd<T>(
  netns: string,
  config: DaemonConfig,
  work: (dockerd: Dockerd) => Promise<T>,
): Promise<T> {
  const dockerd = await Dockerd.start(netns, config);
  try {
    await dockerd.importBusybox();
    return await work(dockerd);
  } finally {
    await dockerd.stop();
  }
}

/** All of it dies with this process, however that ends: each hears of its parent's end from the kernel. */
function spawnDaemon(netns: string, folder: string): ChildProcess {
  const namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const args = ["--pdeathsig", "KILL", findProgram("unshare"), ...namespaces, "sh", "-c", setUp, "dockerd"];
  return spawnIn(netns, "setpriv", [...args, folder, basename(folder)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
}

/** Whether it is a process with that number in the PID namespace one below ours, and those mounts. */
function isProcess(name: string, inner: number, mounts: string): boolean {
  if (!/^\d+$/.test(name)) return false;
  try {
    const [, numbers = ""] = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${name}/status`, "utf8")) ?? [];
    return numbers.split("\t")[1] === String(inner) && readlinkSync(`/proc/${name}/ns/mnt`) === mounts;
  } catch {
    return false; // it has ended meanwhile
  }
}

async function remove(folder: string): Promise<void> {
  const cgroup = basename(folder);
  // Its name is the folder's. The kernel takes a dead process out of its groups a moment after its parent has heard.
  await until(`control groups called ${cgroup} are gone`, () => {
    try {
      for (const group of cgroupsCalled(cgroup)) removeCgroup(group);
      return true;
    } catch {
      return false;
    }
  });
  rmSync(folder, { recursive: true, force: true });
}

/** What daemons left whose test process was killed. */
function removeLeftovers(): void {
  const parent = realpathSync(tmpdir());
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(folderPrefix)) continue;
    const pid = Number.parseInt(name.slice(folderPrefix.length), 10);
    if (existsSync(`/proc/${pid}`)) continue;
    try {
      for (const group of cgroupsCalled(name)) removeCgroup(group);
      rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      // Its processes are just ending, or another test process was faster.
    }
  }
}
