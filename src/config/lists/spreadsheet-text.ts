// Tells texts that a spreadsheet would not leave as they are.

/** What makes a spreadsheet read a formula; the wide forms too. */
const formulaStarts: ReadonlySet<string> = new Set("=+-@\t\r\n＝＋－＠");

/**
 * True where a spreadsheet would calculate with a text that begins like a formula, shorten a long number, take the zero off
 * `02787654321`, or read `3-4` as a day. An apostrophe in front keeps the letters.
 */
export function isReckoned(text: string): boolean {
  return /^\d[\d.,:/eE+-]*$/u.test(text) || formulaStarts.has(text.charAt(0));
}
