// Says in words what numbers a list gains and loses.
import { sayAmount } from "../../domain/amount.ts";
import { formatKey } from "../../domain/number.ts";
import type { SetDifference, SetExcess } from "../../numbering/lists/difference.ts";

/** "3 numbers more (+86…, +86…..+86…)", "1 number less (…)", "2 numbers with other dates or rights"; empty: no change. */
export function describeDifference({ added, removed, changed }: SetDifference): readonly string[] {
  return [
    describeExcess(added, "more"),
    describeExcess(removed, "less"),
    changed > 0 ? `${sayAmount(changed, "number")} with other dates or rights` : undefined,
  ].filter((words) => words !== undefined);
}

/** Says how many numbers a list has: "102 numbers", "1 prefix", "102 numbers and 1 prefix". */
export function sayNumbers(numbers: number, prefixes: number): string {
  const ofPrefixes = `${prefixes} ${prefixes === 1 ? "prefix" : "prefixes"}`;
  if (prefixes === 0) return sayAmount(numbers, "number");
  return numbers === 0 ? ofPrefixes : `${sayAmount(numbers, "number")} and ${ofPrefixes}`;
}

/** "3 numbers less (+86…, +86…..+86…)"; undefined: there are none. */
export function describeExcess(excess: SetExcess, word: "more" | "less"): string | undefined {
  const { numbers, spans, first, prefixes, firstPrefixes } = excess;
  if (numbers === 0 && prefixes === 0) return undefined;
  const named = [
    ...first.map(({ low, high }) => (low === high ? formatKey(low) : describeSpan(low, high))),
    ...firstPrefixes.map((key) => `${formatKey(key)}*`),
  ];
  const more = spans + prefixes > named.length ? ", …" : "";
  return `${sayNumbers(numbers, prefixes)} ${word} (${named.join(", ")}${more})`;
}

/** The keys of codes are negative, so their order is turned round. */
function describeSpan(low: number, high: number): string {
  return low < 0 ? `${formatKey(high)}..${formatKey(low)}` : `${formatKey(low)}..${formatKey(high)}`;
}
