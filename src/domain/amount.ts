// Writes an amount with its noun, for people.

/** `1 packet`, `2 packets`. */
export function sayAmount(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}
