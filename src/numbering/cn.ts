import type { NumberClass } from "../domain/number.ts";
import { cnPlan } from "./cn-plan.data.ts";

const DIGIT_0 = 0x30;
const ROOT = 0;

/** Classes that are full E.164 numbers behind +86; every other class of the plan is a code. */
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

/** What begins with the digits of a node, as bits. */
const LeadsTo = { number: 1, code: 2 } as const;

/** Ten children a node; a child of 0 means there is none, because nothing leads back to the root. */
interface PlanTrie {
  readonly children: Uint16Array;
  /** Bit n: a subscriber number of n digits fits behind this area code. */
  readonly subscriberLengths: Uint16Array;
  /** Bit n: a national number of n digits fits behind this prefix of `classes[classIndex]`. */
  readonly nationalLengths: Uint16Array;
  readonly classIndex: Uint8Array;
  readonly leadsTo: Uint8Array;
  readonly classes: readonly (NumberClass | undefined)[];
}

const trie = plantTrie();

/**
 * Classifies a national significant number or code of the +86 plan: `text` from `start` to its end, ASCII digits only.
 * A fixed area code with an exact subscriber length and a first subscriber digit of 2–8 wins over a code with the same
 * digits; among codes and mobile blocks the longest prefix whose length fits wins. Undefined: the plan has no such number.
 */
export function classifyNational(text: string, start: number): NumberClass | undefined {
  const end = text.length;
  const length = end - start;
  if (length < 3 || length > 15) return undefined;
  let node = ROOT;
  let found = 0;
  let behindArea = 0;
  for (let at = start; at < end; at++) {
    node = childOf(node, text.charCodeAt(at));
    if (node === ROOT) break;
    const subscriberLengths = trie.subscriberLengths[node] ?? 0;
    if (subscriberLengths !== 0) {
      behindArea = at + 1;
      if (((subscriberLengths >> (end - behindArea)) & 1) === 1 && isSubscriberDigit(text, behindArea))
        return "fixed";
    }
    if ((((trie.nationalLengths[node] ?? 0) >> length) & 1) === 1) found = trie.classIndex[node] ?? 0;
  }
  if (found !== 0) return trie.classes[found];
  return behindArea !== 0 && isServiceBehindArea(text, behindArea) ? "area+95/96" : undefined;
}

/** True when `text` from `start` is an area code followed by an emergency code: `10110`, `75512395`. */
export function isEmergencyBehindArea(text: string, start: number): boolean {
  let node = ROOT;
  for (let at = start; at < text.length; at++) {
    node = childOf(node, text.charCodeAt(at));
    if (node === ROOT) return false;
    if ((trie.subscriberLengths[node] ?? 0) !== 0) return classifyNational(text, at + 1) === "emergency";
  }
  return false;
}

/** True for an area code in use, without trunk prefix: `10`, `755`. */
export function isAreaCode(area: string): boolean {
  const node = follow(area);
  return node !== ROOT && (trie.subscriberLengths[node] ?? 0) !== 0;
}

/** True for a class that is a code and no E.164 number: `95588`, `400…`, `110`. */
export function isCodeClass(numberClass: NumberClass): boolean {
  return !e164Classes.has(numberClass);
}

/** True when E.164 numbers of the plan begin with these national digits (area+95/96 aside). */
export function isNumberPrefix(digits: string): boolean {
  return canLeadTo(LeadsTo.number, digits);
}

/** True when codes of the plan begin with these digits. */
export function isCodePrefix(digits: string): boolean {
  return canLeadTo(LeadsTo.code, digits);
}

function canLeadTo(kind: number, digits: string): boolean {
  let node = ROOT;
  let leaf = 0;
  for (let at = 0; at < digits.length; at++) {
    const child = childOf(node, digits.charCodeAt(at));
    // Behind the end of a planned prefix every digit is possible.
    if (child === ROOT) return (leaf & kind) !== 0;
    leaf |= kindOf(child);
    node = child;
  }
  return (((trie.leadsTo[node] ?? 0) | leaf) & kind) !== 0;
}

/** What a prefix of the plan that ends at this node stands for. */
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

/** 95xxx(x) and 96xxx(x) are also dialled, and shown, behind an area code. */
function isServiceBehindArea(text: string, at: number): boolean {
  const length = text.length - at;
  return (length === 5 || length === 6) && (text.startsWith("95", at) || text.startsWith("96", at));
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
