// Says in words what numbers a list gains and loses.
import { sayAmount } from "../../domain/amount.ts";
import { formatKey } from "../../domain/number.ts";
import type { SetDifference, SetExcess } from "../../numbering/lists/difference.ts";

/** "3 numbers more (+86…, +86…..+86…)", "1 number less (…)", "2 numbers with other dates or rights"; empty: no change. */
export function describeDifference({ added, removed, changed }: SetDifference): readonly string[] {
  return [
    ...(added.numbers > 0 ? [describeExcess(added, "more")] : []),
    ...(removed.numbers > 0 ? [describeExcess(removed, "less")] : []),
    ...(changed > 0 ? [`${sayAmount(changed, "number")} with other dates or rights`] : []),
  ];
}

function describeExcess({ numbers, spans, first }: SetExcess, word: string): string {
  const named = first.map(({ low, high }) => (low === high ? formatKey(low) : describeSpan(low, high)));
  return `${sayAmount(numbers, "number")} ${word} (${named.join(", ")}${spans > named.length ? ", …" : ""})`;
}

/** The keys of codes are negative, so their order is turned round. */
function describeSpan(low: number, high: number): string {
  return low < 0 ? `${formatKey(high)}..${formatKey(low)}` : `${formatKey(low)}..${formatKey(high)}`;
}
