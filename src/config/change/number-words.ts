// Says in words what numbers a list gains and loses.
import { formatKey } from "../../domain/number.ts";
import type { SetDifference, SetExcess } from "../../numbering/lists/difference.ts";

/** "3 numbers more (+86…, +86…..+86…)", "1 number less (…)", "2 numbers with other dates or rights"; empty: no change. */
export function describeDifference({ added, removed, changed }: SetDifference): readonly string[] {
  return [
    ...(added.numbers > 0 ? [describeExcess(added, "more")] : []),
    ...(removed.numbers > 0 ? [describeExcess(removed, "less")] : []),
    ...(changed > 0 ? [`${countOf(changed, "number")} with other dates or rights`] : []),
  ];
}

/** "1 row", "2 rows". */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function describeExcess({ numbers, spans, first }: SetExcess, word: string): string {
  const named = first.map(({ low, high }) => (low === high ? formatKey(low) : describeSpan(low, high)));
  return `${countOf(numbers, "number")} ${word} (${named.join(", ")}${spans > named.length ? ", …" : ""})`;
}

/** The keys of codes are negative, so their order is turned round. */
function describeSpan(low: number, high: number): string {
  return low < 0 ? `${formatKey(high)}..${formatKey(low)}` : `${formatKey(low)}..${formatKey(high)}`;
}
