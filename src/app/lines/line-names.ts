// Finds the line that an operator names among those of the policy.
import { lineOfLessee, lineOfTrunk } from "../../domain/line-state.ts";
import { suggest } from "../../config/yaml/suggestion.ts";
import type { Policy, PolicyLine } from "../../policy/policy.ts";
import type { CommandedLines } from "../../screening/line-orders.ts";
import { type LineAnswer, type LineRequest, refuseOrder } from "./line-request.ts";

/** At most this many names are listed for a name that is none. */
const MOST_NAMES = 20;

/**
 * Reads `trunk:NAME`, `lessee:NAME` or a bare name.
 *
 * @returns undefined when the text is none of these
 */
export function readLineName(text: string): Pick<LineRequest, "kind" | "name"> | undefined {
  const colon = text.indexOf(":");
  const kind = text.slice(0, Math.max(colon, 0));
  const name = text.slice(colon + 1);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return undefined;
  if (colon < 0) return { kind: undefined, name };
  return kind === "trunk" || kind === "lessee" ? { kind, name } : undefined;
}

/**
 * Finds the line. A line that has left the policy can still be opened, as long as an order for it is kept.
 *
 * @returns the refusal where no line, or more than one, bears the name
 */
export function findLine(
  { lines: inPolicy, trunkById }: Policy,
  { orders }: CommandedLines,
  { kind, name, state }: Pick<LineRequest, "kind" | "name" | "state">,
): PolicyLine | LineAnswer {
  const left =
    state === "active" ? [...orders.keys()].filter((id) => !inPolicy.some((line) => line.id === id)) : [];
  const lines = [...inPolicy, ...left.map((id): PolicyLine => ({ id, placed: undefined, trunks: [] }))];
  const wanted = [
    ...(kind === "lessee" ? [] : [lineOfTrunk(name)]),
    ...(kind === "trunk" ? [] : [lineOfLessee(name)]),
  ];
  const [line, other] = lines.filter(({ id }) => wanted.includes(id));
  if (line !== undefined && other === undefined) return line;
  if (line !== undefined && other !== undefined)
    return refuseOrder(404, `a trunk and a lessee are called "${name}": write ${line.id} or ${other.id}`);
  if (kind !== "lessee" && trunkById(name)?.trunk.side === "core")
    return refuseOrder(
      409,
      `trunk "${name}" is of side core: calls from the core are not screened, so no order can stop them`,
    );
  const candidates = lines
    .map(({ id }) => id)
    .filter((id) => kind === undefined || id.startsWith(`${kind}:`));
  const asked = kind === undefined ? `trunk or lessee "${name}"` : `${kind} "${name}"`;
  const names = candidates.map((id) => id.slice(id.indexOf(":") + 1));
  return refuseOrder(404, `unknown ${asked}${suggest(name, names)}; the policy has ${listNames(candidates)}`);
}

export function isRefusal(found: PolicyLine | LineAnswer): found is LineAnswer {
  return "result" in found;
}

function listNames(names: readonly string[]): string {
  if (names.length === 0) return "none";
  const more = names.length - MOST_NAMES;
  return names.slice(0, MOST_NAMES).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
