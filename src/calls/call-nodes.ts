// The nodes that calls of the table belong to, by small numbers: 0 is this one.

/** Nodes of a cluster, this one included. A row has three bits for the number. */
export const MOST_NODES = 8;

/** The number of a node that no number is left for. */
export const NO_NODE = -1;

export interface CallNodes {
  /**
   * The number of a node. It holds as long as a row belongs to the node; then it may become that of another one.
   *
   * @returns {@link NO_NODE} where calls of {@link MOST_NODES} nodes stand already
   */
  numberOf(name: string): number;
  nameOf(number: number): string;
  /** Names by number. */
  names(): readonly string[];
  /** One more row belongs to the node. */
  enter(number: number): void;
  leave(number: number): void;
}

/** @param named takes each new name of a number */
export function createCallNodes(own: string, named: (number: number, name: string) => void): CallNodes {
  const names: string[] = [own];
  const rows = new Int32Array(MOST_NODES);
  named(0, own);
  return {
    numberOf(name) {
      const known = names.indexOf(name);
      if (known >= 0) return known;
      const idle = names.length < MOST_NODES ? names.length : rows.indexOf(0, 1);
      if (idle < 0) return NO_NODE;
      names[idle] = name;
      named(idle, name);
      return idle;
    },
    nameOf: (number) => names[number] ?? "",
    names: () => names.slice(),
    enter(number) {
      rows[number]!++;
    },
    leave(number) {
      rows[number]!--;
    },
  };
}
