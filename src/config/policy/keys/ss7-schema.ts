// The key `ss7` of a trunk: the point codes and the users of MTP3 that its messages may come from.
import { z } from "zod";
import type { Side, Ss7Screening } from "../../../domain/trunk.ts";
import { carriesNoCalls, nameOfUser, ServiceIndicator } from "../../../ss7/mtp3.ts";
import { pointCodeSchema, readPointCode } from "./point-code.ts";

const isJudged = (si: number): boolean => si === ServiceIndicator.isup || si === ServiceIndicator.bicc;

const indicatorSchema = z
  .int()
  .min(0)
  .max(15)
  .superRefine((si, context) => {
    if (si < 0 || si > 15 || isJudged(si) || carriesNoCalls(si)) return;
    const user = nameOfUser(si);
    const message =
      user === undefined
        ? `service indicator ${si} is spare: nobody knows whether its messages carry calls`
        : `${user} (${si}) carries calls, and the filter can't read them; it judges ISUP (5) and BICC (13)`;
    context.addIssue({ code: "custom", message });
  });

/** Schema of `trunks[].ss7`. */
export const ss7Schema = z
  .strictObject({
    originatingPointCodes: z
      .array(pointCodeSchema)
      .min(1)
      .max(256)
      .exactOptional()
      .describe("Point codes that any message of the trunk may come from. Default: `match.opc`; else all."),
    serviceIndicators: z
      .array(indicatorSchema)
      .min(1)
      .max(16)
      .exactOptional()
      .describe(
        "Users of MTP3 whose messages may come from the trunk, 0 to 15. Default: ISUP (5) and BICC (13); of a core trunk, every user.",
      ),
  })
  .describe("SS7 only: what else the peer may send. Other messages are refused and counted.");

const everyIndicator = Array.from({ length: 16 }, (_, si) => si);

/** Compiles `ss7` of a trunk with its defaults. */
export function compileSs7({
  side,
  match,
  ss7,
}: {
  readonly side: Side;
  readonly match: { readonly opc?: readonly (number | string)[] };
  readonly ss7?: z.output<typeof ss7Schema>;
}): Ss7Screening {
  const codes = ss7?.originatingPointCodes ?? match.opc;
  const standard = everyIndicator.filter((si) => side === "core" || isJudged(si));
  return Object.freeze({
    originatingPointCodes: codes && new Set(codes.flatMap(readPointCode)),
    serviceIndicators: new Set(ss7?.serviceIndicators ?? standard),
  });
}

/** Says in words what a trunk may send: "ISUP, BICC of point code 1001, 1002". */
export function describeSs7({ originatingPointCodes, serviceIndicators }: Ss7Screening): string {
  const users = [...serviceIndicators].map((si) => nameOfUser(si) ?? String(si)).join(", ");
  return originatingPointCodes === undefined
    ? `${users} of any point code`
    : `${users} of point code ${[...originatingPointCodes].join(" ")}`;
}
