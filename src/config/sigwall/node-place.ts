// The node name and the state folder: as sigwall.yaml has them, else out of what surrounds the process.
import { dirname, isAbsolute, join } from "node:path";

/** Longest node name. */
const MOST_LETTERS = 64;

/** A node name stands in call ids and file names: no slash, no space, and no dot in front. */
export const nodeNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Locks of these names in folders of nodes belong to none of them. */
const LOCK_OWNERS: ReadonlyMap<string, string> = new Map([
  ["seal", "`sigwall seal`"],
  ["policies", "the folder of kept policies"],
]);
/** The tables of a sealed hour: the file `12-gw-a.attempts.parquet` must not be one of a node `gw-a.attempts` too. */
const TABLE_WORDS: readonly string[] = ["attempts", "endings", "others"];

/**
 * Says why the files of a node of this name would be taken for others. Case counts.
 *
 * @returns undefined: they would not
 */
export function findNameClash(node: string): string | undefined {
  const owner = LOCK_OWNERS.get(node);
  if (owner !== undefined) return `"${node}.lock" belongs to ${owner}`;
  const end = node.slice(node.lastIndexOf(".") + 1);
  return end !== node && TABLE_WORDS.includes(end)
    ? `files that end with ".${end}" belong to sealed records`
    : undefined;
}

/** What surrounds the process. */
export interface Surroundings {
  /** The host name of the machine. */
  readonly host: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The two keys as read: undefined where sigwall.yaml leaves one out. */
interface PlaceKeys {
  readonly node: string | undefined;
  readonly stateFolder: string | undefined;
}

/** Who this process is, and where it keeps its state. */
export interface NodePlace {
  readonly node: string;
  /** Relative to the working directory of the program. */
  readonly stateFolder: string;
  /** Set where the host name had to be changed to be a node name. */
  readonly warning: string | undefined;
}

/** Fills in what sigwall.yaml at `configPath` leaves out. */
export function findPlace(keys: PlaceKeys, configPath: string, surroundings: Surroundings): NodePlace {
  const { host, environment } = surroundings;
  const node = keys.node ?? nodeNameOf(host);
  return {
    node,
    stateFolder: keys.stateFolder ?? systemdFolder(environment) ?? join(dirname(configPath), "state"),
    warning:
      keys.node === undefined && node !== host
        ? `the host name "${host}" can't be a node name; the node is called "${node}": set \`node\` in sigwall.yaml`
        : undefined,
  };
}

/** The host name with "-" for every character that a node name can't have, and as no other file is called. */
function nodeNameOf(host: string): string {
  const name = host
    .replaceAll(/[^A-Za-z0-9._-]/g, "-")
    .replace(/^[._-]+/, "")
    .slice(0, MOST_LETTERS);
  if (name === "") return "sigwall";
  return findNameClash(name) === undefined
    ? name
    : `node-${name.replaceAll(".", "-")}`.slice(0, MOST_LETTERS);
}

/** The first folder that systemd has made for the service (systemd.exec(5), StateDirectory=). */
function systemdFolder(environment: Surroundings["environment"]): string | undefined {
  const [first = ""] = (environment["STATE_DIRECTORY"] ?? "").split(":");
  return isAbsolute(first) ? first : undefined;
}
