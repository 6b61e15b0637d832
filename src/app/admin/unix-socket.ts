// Opens the Unix socket of the admin thread: for its owner only, in place of one that a dead process has left.
import { chmodSync, lstatSync, mkdtempSync, renameSync, rmdirSync, statSync, unlinkSync } from "node:fs";
import { connect, type Server } from "node:net";
import { dirname, join } from "node:path";

/** A socket that is bound. */
export interface BoundSocket {
  /** Takes the file away, as long as it is the file of this socket. */
  readonly remove: () => void;
}

/** Most octets of a path that a socket can have (sun_path of Linux, without the final NUL). */
const MOST_PATH = 107;

/**
 * Binds `server` to `path`, mode 0600. The socket is made in a folder of its own and renamed: nobody can connect before
 * its mode is right, and a file of a dead process is replaced in one step. Rejects when a living process has the socket,
 * when something else than a socket stands there, and with what the operating system says.
 */
export async function bindSocket(server: Server, path: string): Promise<BoundSocket> {
  const folderOctets = Buffer.byteLength(dirname(path)) + "/.s012345/s".length;
  if (Math.max(Buffer.byteLength(path), folderOctets) > MOST_PATH)
    throw new Error(`${path}: the path of a Unix socket has at most ${MOST_PATH} octets; set admin.socket`);
  if (await isServed(path)) throw new Error(`${path}: another process serves it`);
  const folder = mkdtempSync(join(dirname(path), ".s"));
  const made = join(folder, "s");
  try {
    await listen(server, made);
    chmodSync(made, 0o600);
    const { ino } = statSync(made);
    renameSync(made, path);
    return { remove: () => removeOwn(path, ino) };
  } catch (error) {
    server.close();
    throw error;
  } finally {
    removeFolder(folder, made);
  }
}

/** @returns true when a process takes connections at the path. Throws when something else than a socket is there */
async function isServed(path: string): Promise<boolean> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  if (!stat.isSocket()) throw new Error(`${path}: something else than a socket is there; take it away`);
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED" || error.code === "ENOENT") resolve(false);
      else reject(error);
    });
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function removeFolder(folder: string, made: string): void {
  for (const remove of [() => unlinkSync(made), () => rmdirSync(folder)])
    try {
      remove();
    } catch {
      // The socket was renamed, or was never made.
    }
}

function removeOwn(path: string, ino: number): void {
  try {
    if (lstatSync(path).ino === ino) unlinkSync(path);
  } catch {
    // Somebody has taken it away.
  }
}
