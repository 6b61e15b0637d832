// The Chinese numbering plan (+86) as a trie: classifies a national number or code.
import type { NumberClass } from "../domain/number.ts";
import { cnPlan } from "./cn-plan.data.ts";

const DIGIT_0 = 0x30;
const ROOT = 0;

/** The classes that are full E.164 numbers after +86. Every other class of the plan is a code. */
const e164Classes: ReadonlySet<NumberClass> = new Set<NumberClass>([
  "foreign",
  "fixed",
  "mobile",
  "mobile_mvno",
  "mobile_satellite",
  "mobile_emergency_comms",
  "mobile_iot",
  "mobile_reserved",
  "area+95/96",
]);

/**
 * The classes whose codes are also dialled, and shown, behind an area code: 010 12345, 027 110.
 */
const classesBehindArea: ReadonlySet<NumberClass> = new Set<NumberClass>([
  "emergency",
  "emergency_sms",
  "fault_or_gsm_emergency",
  "directory",
  "anti_fraud",
  "operator_service",
  "public_service",
  "business_code",
  "enterprise_95",
  "callcentre_95",
  "short_95",
  "short_96",
]);
/** No code of these classes is longer. The longer codes of call centres are national numbers. */
const LONGEST_BEHIND_AREA = 6;
const LONGEST_AREA = 3;

/** The bits that say what the digits of a node can lead to. */
const LeadsTo = { number: 1, code: 2 } as const;

/**
 * A trie with ten children a node. A child of 0 means none, because nothing leads back to the root.
 */
interface PlanTrie {
  readonly children: Uint16Array;
  /** Bit n is set when a subscriber number of n digits fits after this area code. */
  readonly subscriberLengths: Uint16Array;
  /**
   * Bit n is set when a national number of n digits fits after this prefix of
   * `classes[classIndex]`.
   */
  readonly nationalLengths: Uint16Array;
  readonly classIndex: Uint8Array;
  readonly leadsTo: Uint8Array;
  readonly classes: readonly (NumberClass | undefined)[];
}

const trie = plantTrie();

/**
 * The class of a national number of ten digits or more depends on its length and on so many first digits alone: those
 * of the longest planned prefix, and the one that says whether a subscriber number follows.
 */
export const DECIDING_DIGITS =
  Math.max(...cnPlan.flatMap(({ prefixes }) => prefixes.split(" ").map((prefix) => prefix.length))) + 1;

/**
 * Classifies a national significant number or a code of the +86 plan: `text` from `start` to its
 * end, ASCII digits only. An area code wins over a code with the same digits when the subscriber
 * number has the right length and begins with 2–8. Among codes and mobile blocks the longest prefix
 * that allows the length wins.
 * @returns undefined when the plan has no such number; a code behind an area code is none, see
 *   {@link findCodeBehindArea}
 */
export function classifyNational(text: string, start: number): NumberClass | undefined {
  const end = text.length;
  const length = end - start;
  if (length < 3 || length > 15) return undefined;
  let node = ROOT;
  let found = 0;
  for (let at = start; at < end; at++) {
    node = childOf(node, text.charCodeAt(at));
    if (node === ROOT) break;
    const subscriberLengths = trie.subscriberLengths[node] ?? 0;
    if (((subscriberLengths >> (end - at - 1)) & 1) === 1 && isSubscriberDigit(text, at + 1)) return "fixed";
    if ((((trie.nationalLengths[node] ?? 0) >> length) & 1) === 1) found = trie.classIndex[node] ?? 0;
  }
  return trie.classes[found];
}

/**
 * Finds the code in an area code and a code: `75595588`, `1012345`. Some of these digits are also a
 * code of their own: 10 110 and 10110, 951 110 and 951110. The caller decides which one is meant.
 * @returns where the code begins, or -1 when `text` from `start` is no area code and code
 */
export function findCodeBehindArea(text: string, start: number): number {
  if (text.length - start > LONGEST_AREA + LONGEST_BEHIND_AREA) return -1;
  let node = ROOT;
  for (let at = start; at < text.length; at++) {
    node = childOf(node, text.charCodeAt(at));
    if (node === ROOT) return -1;
    if ((trie.subscriberLengths[node] ?? 0) === 0) continue;
    const numberClass = classifyNational(text, at + 1);
    return numberClass !== undefined && classesBehindArea.has(numberClass) ? at + 1 : -1;
  }
  return -1;
}

/**
 * Classifies the code in an area code and a code.
 * @returns undefined when `text` from `start` is no area code and code
 */
export function classifyBehindArea(text: string, start: number): NumberClass | undefined {
  const codeAt = findCodeBehindArea(text, start);
  return codeAt < 0 ? undefined : classifyNational(text, codeAt);
}

/** @returns true when `area`, without trunk prefix, is an area code in use: `10`, `755` */
export function isAreaCode(area: string): boolean {
  const node = follow(area);
  return node !== ROOT && (trie.subscriberLengths[node] ?? 0) !== 0;
}

/** @returns true when numbers of the class are codes, not E.164 numbers: `95588`, `400…`, `110` */
export function isCodeClass(numberClass: NumberClass): boolean {
  return !e164Classes.has(numberClass);
}

/**
 * @returns true when E.164 numbers of the plan begin with these national digits; a code behind an
 *   area code is none
 */
export function isNumberPrefix(digits: string): boolean {
  return canLeadTo(LeadsTo.number, digits);
}

/** @returns true when codes of the plan begin with these digits */
export function isCodePrefix(digits: string): boolean {
  return canLeadTo(LeadsTo.code, digits);
}

function canLeadTo(kind: number, digits: string): boolean {
  let node = ROOT;
  let leaf = 0;
  for (let at = 0; at < digits.length; at++) {
    const child = childOf(node, digits.charCodeAt(at));
    // No subscriber number begins with 0, 1 or 9.
    if ((trie.subscriberLengths[node] ?? 0) !== 0 && !isSubscriberDigit(digits, at)) leaf &= ~LeadsTo.number;
    // Every other digit is possible after the end of a planned prefix.
    if (child === ROOT) return (leaf & kind) !== 0;
    leaf |= kindOf(child);
    node = child;
  }
  return (((trie.leadsTo[node] ?? 0) | leaf) & kind) !== 0;
}

/** Returns what a prefix that ends at this node stands for, as bits of {@link LeadsTo}. */
function kindOf(node: number): number {
  const area = (trie.subscriberLengths[node] ?? 0) === 0 ? 0 : LeadsTo.number;
  const numberClass = trie.classes[trie.classIndex[node] ?? 0];
  if (numberClass === undefined) return area;
  return area | (isCodeClass(numberClass) ? LeadsTo.code : LeadsTo.number);
}

function childOf(node: number, charCode: number): number {
  const digit = charCode - DIGIT_0;
  return digit >= 0 && digit <= 9 ? (trie.children[node * 10 + digit] ?? ROOT) : ROOT;
}

function follow(digits: string): number {
  let node = ROOT;
  for (let at = 0; at < digits.length; at++) {
    node = childOf(node, digits.charCodeAt(at));
    if (node === ROOT) return ROOT;
  }
  return node;
}

function isSubscriberDigit(text: string, at: number): boolean {
  const digit = text.charCodeAt(at) - DIGIT_0;
  return digit >= 2 && digit <= 8;
}

function plantTrie(): PlanTrie {
  const children: number[] = Array.from({ length: 10 }, () => 0);
  const subscriberLengths: number[] = [0];
  const nationalLengths: number[] = [0];
  const classIndex: number[] = [0];
  const leadsTo: number[] = [0];
  const classes: (NumberClass | undefined)[] = [undefined];

  function grow(prefix: string, kind: number): number {
    let node = ROOT;
    for (const digit of prefix) {
      leadsTo[node] = (leadsTo[node] ?? 0) | kind;
      const slot = node * 10 + Number(digit);
      let child = children[slot] ?? ROOT;
      if (child === ROOT) {
        child = subscriberLengths.length;
        children[slot] = child;
        children.push(0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        subscriberLengths.push(0);
        nationalLengths.push(0);
        classIndex.push(0);
        leadsTo.push(0);
      }
      node = child;
    }
    return node;
  }

  for (const row of cnPlan) {
    const mask = row.lengths.reduce((bits, length) => bits | (1 << length), 0);
    const index =
      classes.indexOf(row.class) === -1 ? classes.push(row.class) - 1 : classes.indexOf(row.class);
    for (const prefix of row.prefixes.split(" ")) {
      const node = grow(prefix, isCodeClass(row.class) ? LeadsTo.code : LeadsTo.number);
      if (row.class === "fixed") {
        subscriberLengths[node] = mask;
      } else {
        nationalLengths[node] = mask;
        classIndex[node] = index;
      }
    }
  }
  return {
    children: Uint16Array.from(children),
    subscriberLengths: Uint16Array.from(subscriberLengths),
    nationalLengths: Uint16Array.from(nationalLengths),
    classIndex: Uint8Array.from(classIndex),
    leadsTo: Uint8Array.from(leadsTo),
    classes,
  };
}
