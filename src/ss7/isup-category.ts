// Names the category of the calling party of an IAM.
import { categoryOf, type IsupMessage } from "./isup.ts";

/**
 * Categories of callers without a privilege (Q.763 section 3.11): unknown, ordinary subscriber, data call, payphone,
 * mobile in its home and in another network; and those of YDN 038 for ordinary subscribers, by how they are charged.
 */
const ordinary: ReadonlySet<number> = new Set([0x00, 0x0a, 0x0c, 0x0f, 0x10, 0x11, 0xf0, 0xf1, 0xf2, 0xf3]);

const FIRST_OPERATOR = 0x01;
const LAST_OPERATOR = 0x09;
const names: ReadonlyMap<number, string> = new Map([
  [0x0b, "priority"],
  [0x0d, "test"],
  // International emergency preference scheme.
  [0x0e, "ieps"],
]);

/**
 * Returns the name of a category that gives a caller a privilege, or that no standard knows: `operator`, `test`, `0x12`.
 * @returns undefined for the others, and for a message that is no IAM
 */
export function privilegeOf(message: IsupMessage): string | undefined {
  const category = categoryOf(message);
  if (category < 0 || ordinary.has(category)) return undefined;
  if (category >= FIRST_OPERATOR && category <= LAST_OPERATOR) return "operator";
  return names.get(category) ?? `0x${category.toString(16).padStart(2, "0")}`;
}
