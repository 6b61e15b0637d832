// Digits and letters of other scripts and styles, and ASCII letters that look like digits.
import { isSeparator } from "./characters.ts";

/**
 * The first digits of the decimal systems that NFKD leaves unchanged (Unicode category Nd), from
 * Arabic-Indic and Devanagari on.
 */
const zeros: readonly number[] = [
  0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
  0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50,
  0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0,
  0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950,
  0x11bf0, 0x11c50, 0x11d50, 0x11da0, 0x11de0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1e140,
  0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950,
];

/** The first signs of circled and other enclosed numbers that NFKD leaves unchanged, and what it counts from. */
const enclosed: readonly (readonly [first: number, last: number, value: number])[] = [
  [0x24eb, 0x24f4, 11],
  [0x24f5, 0x24fe, 1],
  [0x24ff, 0x24ff, 0],
  [0x2776, 0x277f, 1],
  [0x2780, 0x2789, 1],
  [0x278a, 0x2793, 1],
  [0x1f10b, 0x1f10b, 0],
  [0x1f10c, 0x1f10c, 0],
];

/**
 * Chinese numerals by their value: the ordinary ones, with the circles that people write for 〇, those of accounts, that
 * of telephony (幺) and those of merchants.
 */
const numerals: ReadonlyMap<number, string> = new Map(
  [
    "〇零○◯",
    "一壹弌幺〡",
    "二贰貳弍〢",
    "三叁參弎〣",
    "四肆〤",
    "五伍〥",
    "六陆陸〦",
    "七柒〧",
    "八捌〨",
    "九玖〩",
  ].flatMap((chars, value) =>
    Array.from(chars).map((char) => [char.codePointAt(0) ?? 0, String(value)] as const),
  ),
);

/** Small letters of other scripts, in the order of the ASCII letters that they look like. */
const letters: ReadonlyMap<string, string> = new Map(
  Object.entries({
    a: "аαɑᴀ",
    b: "ьβʙв",
    c: "сϲᴄ",
    d: "ԁđᴅ",
    e: "еεᴇє",
    f: "ғꜰ",
    g: "ɡɢ",
    h: "һʜнհ",
    i: "іιıɪ",
    j: "јᴊ",
    k: "кκᴋ",
    l: "ӏʟłǀ",
    m: "мᴍ",
    n: "ηɴոп",
    o: "оοօøᴏσⲟθѳө∅",
    p: "рρᴘ",
    q: "ԛ",
    r: "гʀ",
    s: "ѕꜱ",
    t: "тτᴛ",
    u: "υսᴜμ",
    v: "νѵᴠ",
    w: "ԝωᴡш",
    x: "хχ",
    y: "уγʏ",
    z: "ᴢ",
  }).flatMap(([letter, chars]) => Array.from(chars).map((char) => [char, letter] as const)),
);

/** Greek capitals that look like other letters than their small forms do. */
const capitals: ReadonlyMap<string, string> = new Map([
  ["Η", "h"],
  ["Ν", "n"],
  ["Υ", "y"],
  ["Μ", "m"],
  ["Ζ", "z"],
]);

/** The first letters of enclosed alphabets that NFKD leaves unchanged: 🅐, 🅰, and the letters of flags. */
const alphabets: readonly number[] = [0x1f150, 0x1f170, 0x1f1e6];

/** Returns the digits that a character shows, or undefined. */
export function seenAsDigits(code: number): string | undefined {
  if (code < 0x660) return undefined;
  const numeral = numerals.get(code);
  if (numeral !== undefined) return numeral;
  for (const zero of zeros) if (code >= zero && code < zero + 10) return String(code - zero);
  for (const [first, last, value] of enclosed)
    if (code >= first && code <= last) return String(value + code - first);
  return undefined;
}

/** Returns the small ASCII letter that a letter of another script or style looks like, or undefined. */
export function seenAsLetter(char: string, code: number): string | undefined {
  for (const first of alphabets)
    if (code >= first && code < first + 26) return String.fromCharCode(0x61 + code - first);
  return capitals.get(char) ?? letters.get(char.toLowerCase());
}

/** Characters of a folded name that look like a digit. */
const asDigit: ReadonlyMap<string, string> = new Map([
  ["o", "0"],
  ["i", "1"],
  ["l", "1"],
  ["|", "1"],
  ["z", "2"],
  ["s", "5"],
  ["b", "8"],
  ["з", "3"],
  ["ӡ", "3"],
  ["ʒ", "3"],
  ["ч", "4"],
  ["ƽ", "5"],
  ["б", "6"],
  ["ß", "8"],
  ["ȣ", "8"],
]);

/**
 * Returns a folded name with the letters among its digits as the digits that they look like:
 * `o1o-87654322`, `955b8`. A run of such letters and digits must hold a digit. Where the run is part
 * of a longer word, only letters between digits count, and `o` in front of them (`telo10…`).
 */
export function withDigitsSeen(name: string): string {
  let out = "";
  for (let at = 0; at < name.length;) {
    let end = at;
    while (end < name.length && isRunChar(name.charAt(end))) end++;
    if (end === at) out += name.charAt(at++);
    else {
      out += replaceRun(name, at, end);
      at = end;
    }
  }
  return out;
}

function isRunChar(char: string): boolean {
  return (char >= "0" && char <= "9") || asDigit.has(char);
}

function replaceRun(name: string, start: number, end: number): string {
  let first = start;
  let last = end;
  while (first < end && asDigit.has(name.charAt(first))) first++;
  if (first === end) return name.slice(start, end);
  while (asDigit.has(name.charAt(last - 1))) last--;
  if (isWord(name.charAt(start - 1))) while (first > start && name.charAt(first - 1) === "o") first--;
  else first = start;
  if (!isWord(name.charAt(end))) last = end;
  let digits = "";
  for (let i = first; i < last; i++) digits += asDigit.get(name.charAt(i)) ?? name.charAt(i);
  return name.slice(start, first) + digits + name.slice(last, end);
}

function isWord(char: string): boolean {
  return char !== "" && !isSeparator(char.codePointAt(0) ?? 0);
}

/** The letters that digits and signs stand for in a word, in two spellings: `pr1vate` and `nu11`. */
const asLetter: readonly ReadonlyMap<string, string>[] = ["i", "l"].map(
  (one) =>
    new Map([
      ["0", "o"],
      ["1", one],
      ["!", one],
      ["|", "l"],
      ["3", "e"],
      ["4", "a"],
      ["@", "a"],
      ["5", "s"],
      ["$", "s"],
      ["7", "t"],
    ]),
);

/** Returns the words that a folded name shows: as it is, and with digits as letters, in two spellings. */
export function wordsSeen(name: string): readonly string[] {
  const seen = new Set([name]);
  for (const map of asLetter) {
    let word = "";
    for (const char of name) word += map.get(char) ?? char;
    seen.add(word);
  }
  return [...seen];
}
