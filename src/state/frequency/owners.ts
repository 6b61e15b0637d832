// Numbers the owners of rows, so that a row needs no text.

/** Names are trunks of policies: the configuration bounds them. */
export interface Owners {
  /** The number of a name. The same name always has the same one. */
  numberOf(name: string): number;
  nameOf(number: number): string;
}

export function createOwners(): Owners {
  const names: string[] = [];
  const numbers = new Map<string, number>();
  return {
    numberOf(name) {
      const known = numbers.get(name);
      if (known !== undefined) return known;
      numbers.set(name, names.length);
      names.push(name);
      return names.length - 1;
    },
    nameOf: (number) => names[number] ?? "",
  };
}
