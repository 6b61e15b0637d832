// Makes text of peers plain: nothing in it can control a terminal or turn the direction of writing.

/**
 * Characters that are not shown, or that change how others are shown: controls, marks of direction, separators of lines,
 * invisible ones.
 */
function isHidden(code: number): boolean {
  return (
    code < 0x20 ||
    (code >= 0x7f && code < 0xa0) ||
    code === 0xad ||
    code === 0x61c ||
    code === 0x180e ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x206f) ||
    code === 0xfeff ||
    (code >= 0xfff9 && code <= 0xfffb) ||
    (code >= 0xd800 && code <= 0xdfff) ||
    code >= 0xe0000
  );
}

/** Writes hidden characters as escapes: `\x1b`, `\u202e`, `\u{e0041}`. */
export function plain(text: string): string {
  let clean = "";
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    clean += isHidden(code) ? escape(code) : character;
  }
  return clean;
}

function escape(code: number): string {
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\u{${hex}}`;
}

/** JSON of one line, in which hidden characters stand as the escapes of JSON. */
export function plainJson(value: unknown): string {
  let clean = "";
  // JSON has escaped the controls below 0x20 already.
  for (const character of JSON.stringify(value)) {
    const code = character.codePointAt(0) ?? 0;
    if (!isHidden(code)) clean += character;
    else
      for (let at = 0; at < character.length; at++)
        clean += `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }
  return clean;
}

/** Columns on a terminal: Chinese characters and the like take two. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += isWide(character.codePointAt(0) ?? 0) ? 2 : 1;
  return width;
}

function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  );
}

/** Pads the cells of every column to one width, and joins each row. */
export function alignRows(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
  return rows.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell))))
      .join("  ")
      .trimEnd(),
  );
}
