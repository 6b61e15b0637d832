// The key `detectors`: a schema of each detector out of its profile, and what it is compiled to.
import { z } from "zod";
import { detectorForms } from "../../../screening/detectors/registry.ts";
import type { DetectorForm, DetectorSettings } from "../../../screening/detectors/detector.ts";
import { isMapping } from "../../yaml/schema-issues.ts";

const modeSchema = z
  .enum(["monitor", "off"])
  .default("monitor")
  .describe(
    "monitor: findings are recorded and counted, and nothing follows from them; off: it does not run.",
  );

function schemaOf({ summary, profile, thresholds }: DetectorForm): z.ZodType {
  const own = Object.entries(thresholds).map(([name, { value, least, most, why }]) => [
    name,
    z.number().min(least).max(most).default(value).describe(why),
  ]);
  return z
    .strictObject({
      mode: modeSchema,
      profile: z
        .literal(profile)
        .default(profile)
        .describe("The version of its measures. Written here, an upgrade that changes them is noticed."),
      ...Object.fromEntries(own),
    })
    .describe(summary)
    .exactOptional();
}

/** Schema of the map `detectors`: each detector by its name, `mode` and `profile` beside its thresholds. */
export const detectorsSchema = z
  .strictObject(Object.fromEntries(detectorForms.map((form) => [form.id, schemaOf(form)])))
  .describe("Detectors, which judge over time. One that is not named here does not run.");

/** Compiles what was written; what is unsound is reported by the schema, and read as if it was not there. */
export function readDetectors(written: unknown): DetectorSettings {
  const read = detectorsSchema.safeParse(written).data ?? {};
  return new Map(
    detectorForms.map(({ id, profile, thresholds }) => {
      const entry: unknown = read[id];
      const given = isMapping(entry) ? entry : {};
      const values = Object.entries(thresholds).map(([name, { value }]): [string, number] => {
        const own = given[name];
        return [name, typeof own === "number" ? own : value];
      });
      const mode = entry === undefined || given["mode"] === "off" ? "off" : "monitor";
      return [id, { mode, profile, thresholds: Object.fromEntries(values) }];
    }),
  );
}
