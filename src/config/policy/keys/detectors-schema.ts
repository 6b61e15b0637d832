// The key `detectors`: a schema of each detector out of its profile, and what it is compiled to.
import { z } from "zod";
import type { DetectorMode } from "../../../domain/finding.ts";
import type { Millis } from "../../../domain/time.ts";
import { detectorForms } from "../../../screening/detectors/registry.ts";
import type {
  DetectorForm,
  DetectorSetting,
  DetectorSettings,
} from "../../../screening/detectors/detector.ts";
import { isMapping } from "../../yaml/schema-issues.ts";

const HOUR: Millis = 3_600_000;
const units: Readonly<Record<string, Millis>> = { s: 1000, m: HOUR / 60, h: HOUR, d: 24 * HOUR };
const SHORTEST: Millis = 1000;
const LONGEST: Millis = 30 * 24 * HOUR;

function readLasting(text: string): Millis | undefined {
  const lasting = Number(text.slice(0, -1)) * (units[text.slice(-1)] ?? NaN);
  return /^\d{1,7}[smhd]$/.test(text) && lasting >= SHORTEST && lasting <= LONGEST ? lasting : undefined;
}

const lastingSchema = z
  .string()
  .refine((text) => readLasting(text) !== undefined, {
    error: "expected a time of 1s to 30d, like 30m, 24h or 7d",
  })
  .default("24h");

const modeSchema = z
  .enum(["monitor", "enforce", "off"])
  .default("monitor")
  .describe(
    "monitor: findings are recorded and counted, and nothing follows from them; enforce: quarantine and action follow from them; off: it does not run.",
  );

/** The keys of what follows from a finding. Of a detector that binds nobody they are errors that say why. */
function followingOf({ id, binds, whyNobody = "its findings name nobody" }: DetectorForm) {
  const [first, ...others] = binds;
  if (first === undefined) {
    const none = z
      .unknown()
      .refine(() => false, { error: `${id} binds nobody: ${whyNobody}` })
      .describe("Not allowed: findings of this detector bind nobody.")
      .meta({ not: {} })
      .exactOptional();
    return { quarantine: none, action: none };
  }
  const quarantine = z
    .strictObject({
      subject: z
        .enum([first, ...others])
        .describe(
          "Whom a finding binds: caller, that number on that trunk only; callerBlock, the hundred numbers around it on that trunk; trunk, a lessee's whole trunk; called, the shield of that party against those who took part.",
        ),
      for: lastingSchema.describe("How long calls are refused, from the finding on."),
    })
    .describe("Whose calls are refused after a finding.")
    .exactOptional();
  const action = z
    .strictObject({
      do: z
        .enum(["label", "withhold"])
        .describe("What becomes of calls that are not refused: a label, or the calling number is withheld."),
      for: lastingSchema.describe("How long calls are marked, from the finding on."),
    })
    .describe("How calls are marked after a finding, of the same subject.")
    .exactOptional();
  return { quarantine, action };
}

function schemaOf(form: DetectorForm): z.ZodType {
  const { summary, profile, thresholds, binds } = form;
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
      ...followingOf(form),
      ...Object.fromEntries(own),
    })
    .refine(
      ({ mode, quarantine, action }) =>
        binds.length === 0 || mode !== "enforce" || quarantine !== undefined || action !== undefined,
      {
        path: ["mode"],
        error: "enforce needs `quarantine` or `action`: without them nothing follows from a finding",
      },
    )
    .refine(({ mode }) => binds.length > 0 || mode !== "enforce", {
      path: ["mode"],
      error: `${form.id} can't enforce: ${form.whyNobody ?? ""}`,
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
      const mode = entry === undefined ? "off" : modeOf(given["mode"]);
      return [
        id,
        {
          mode,
          profile,
          thresholds: Object.fromEntries(values),
          ...readQuarantine(given["quarantine"]),
          ...readAction(given["action"]),
        },
      ];
    }),
  );
}

function modeOf(written: unknown): DetectorMode {
  return written === "off" || written === "enforce" ? written : "monitor";
}

function lastingOf(written: unknown): Millis {
  return readLasting(typeof written === "string" ? written : "") ?? 24 * HOUR;
}

function readQuarantine(written: unknown): Pick<DetectorSetting, "quarantine"> {
  if (!isMapping(written)) return {};
  const subject = (["caller", "callerBlock", "trunk", "called"] as const).find(
    (kind) => kind === written["subject"],
  );
  return subject === undefined ? {} : { quarantine: { subject, for: lastingOf(written["for"]) } };
}

function readAction(written: unknown): Pick<DetectorSetting, "action"> {
  if (!isMapping(written)) return {};
  const mark = (["label", "withhold"] as const).find((word) => word === written["do"]);
  return mark === undefined ? {} : { action: { do: mark, for: lastingOf(written["for"]) } };
}
