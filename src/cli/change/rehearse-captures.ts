// `sigwall rehearse CAPTURE...`: which calls of captures get another verdict under a new policy than under another one.
import { compilePolicy } from "../../config/policy/build-policy.ts";
import { partsOf, type PolicyMaterial } from "../../config/load-policy.ts";
import type { ReadFile } from "../../config/yaml/config-files.ts";
import { suggest } from "../../config/yaml/suggestion.ts";
import { keptAt, listKept } from "../../records/policies/kept-policy.ts";
import { type CaptureSide, createCaptureRehearsal } from "../../replay/rehearsing/capture-rehearsal.ts";
import { findRecords, type PlaceOptions } from "../asking/record-places.ts";
import { canRead, type CommandOutput, type LineStyle, readCapture } from "../captures/capture-files.ts";
import { describeCapture } from "../captures/capture-summary.ts";
import { readConfigured, readNamed } from "./configured-policy.ts";
import { tellRehearsal, type TellingOptions } from "./rehearsal-words.ts";

/** What the command was called with. */
export interface CaptureRehearsalOptions extends TellingOptions {
  /** The configuration that is to come. */
  readonly config: string;
  /** Records folders; kept policies are beside them. Empty: that of the configuration. */
  readonly records: readonly string[];
  /** The policy to compare with, as in `diff`. Undefined: the one that was in force last. */
  readonly against: string | undefined;
  /** Every call is judged as this trunk's. Undefined: by the trunk of its source. */
  readonly trunk: string | undefined;
}

export interface CaptureRehearsalOutput extends CommandOutput {
  readonly readFile: ReadFile;
}

const UNUSABLE = 2;
const style: LineStyle = { command: "rehearse", json: true, several: false, timeZone: undefined };

/**
 * Judges the calls of captures by two policies.
 *
 * @returns resolves with the exit code: 0; 1 above `maxChanges`; 2 when a policy or a capture can't be read
 */
export async function rehearseCaptures(
  files: readonly string[],
  options: CaptureRehearsalOptions,
  output: CaptureRehearsalOutput,
): Promise<number> {
  const { readFile, stderr, stdout } = output;
  const fail = (message: string): number => {
    stderr.write(`sigwall rehearse: ${message}\n`);
    return UNUSABLE;
  };
  if (!canRead(files, "rehearse", output)) return UNUSABLE;
  const read = readConfigured(readFile, options.config, { name: "the new policy", withWarnings: true });
  if (typeof read === "string") return fail(read);
  const old = readOld(options, readFile);
  if (typeof old === "string") return fail(old);
  const before = sideOf(old, options.trunk);
  if (typeof before === "string") return fail(before);
  const after = sideOf(read.material, options.trunk);
  if (typeof after === "string") return fail(after);
  const { config } = read;
  const ownNames = [...config.ownNames, ...config.listen.flatMap(({ advertise }) => advertise ?? [])];
  const rehearsal = createCaptureRehearsal(before, after, ownNames);
  let isUnread = false;
  for (const file of files) {
    const found = await readCapture(file, style, output, undefined, () => rehearsal.open(file));
    isUnread ||= found.failed;
    if (!found.failed && !options.json) stdout.write(`${file}: ${describeCapture(found)}\n`);
  }
  const told = { result: rehearsal.result(), revision: after.policy.revision, against: old.revision };
  const code = tellRehearsal(told, options, output);
  return isUnread ? UNUSABLE : code;
}

/** @returns a string that says what is wrong */
function sideOf(material: PolicyMaterial, trunkId: string | undefined): CaptureSide | string {
  const policy = compilePolicy(partsOf(material));
  if (trunkId === undefined) return { policy, trunk: undefined };
  const trunk = policy.trunkById(trunkId);
  if (trunk !== undefined) return { policy, trunk };
  const known = policy.trunks.map((one) => one.trunk.id);
  return `policy ${policy.revision} has no trunk "${trunkId}"${suggest(trunkId, known)}`;
}

/** Reads the policy to compare with. */
function readOld(
  { config, records, against }: CaptureRehearsalOptions,
  readFile: ReadFile,
): PolicyMaterial | string {
  const places: PlaceOptions = { config, records };
  if (against !== undefined) return readNamed(against, places, readFile);
  const place = findRecords(places, readFile);
  const why = "name the policy to compare with: --against OLD, a sigwall.yaml, a policy.yaml or a revision";
  if (typeof place === "string") return `${why}; the one in force last is not known: ${place}`;
  const last = keptAt(
    place.policies.flatMap((folder) => listKept(folder)),
    Infinity,
  );
  return last === undefined
    ? `${why}; no policy is kept beside ${place.folders.join(", ")}`
    : readNamed(last.revision, places, readFile);
}
