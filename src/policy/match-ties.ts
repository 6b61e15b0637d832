// Finds trunks that claim the same messages, and says in words which messages an entry claims.
import { formatNetwork } from "../net/address.ts";
import { countCircuits, type CircuitRange, type MatchEntry } from "./trunk-match.ts";

/** Two entries of different trunks that claim the same messages. */
export interface MatchTie<Target> {
  readonly first: Target;
  readonly second: Target;
  /** What both entries claim, in words: network, port, TLS name, listener and routing label. */
  readonly claim: string;
}

/** Entries that claim the same network, port, TLS name, listener and point codes. */
interface Claimants<Target> {
  readonly claim: string;
  readonly entries: MatchEntry<Target>[];
}

/**
 * Finds pairs of different targets that claim the same network, port, TLS name, listener and
 * routing label. At most one tie is reported for each pair, and for each entry with each port and
 * pair of point codes. Circuits within the circuits of another entry are no tie: fewer circuits win.
 */
export function findTies<Target>(entries: readonly MatchEntry<Target>[]): readonly MatchTie<Target>[] {
  const places = new Map<string, Claimants<Target>>();
  const ties = new Map<string, MatchTie<Target>>();
  const names = new Map<Target, number>();
  const nameOf = (target: Target): number => {
    const name = names.get(target) ?? names.size;
    names.set(target, name);
    return name;
  };
  for (const entry of entries) {
    for (const claim of describeClaims(entry)) {
      // An entry with a key is more specific than one without, so only entries with the same keys can tie.
      const kind = [claim, ...[entry.cic, entry.networkAppearance, entry.ni].map(Boolean)].join(" ");
      const place = places.get(kind) ?? { claim, entries: [] };
      places.set(kind, place);
      const tied = place.entries.find((other) => other.target !== entry.target && isTied(other, entry));
      if (tied !== undefined) {
        // One report for a pair of trunks is enough, however many ports they share.
        const pair = `${nameOf(tied.target)} ${nameOf(entry.target)}`;
        const shared = describeShared(tied, entry);
        if (!ties.has(pair))
          ties.set(pair, { first: tied.target, second: entry.target, claim: place.claim + shared });
      }
      // An entry that claims what a former one claims adds nothing to compare with.
      if (!place.entries.some((other) => isSame(other, entry))) place.entries.push(entry);
    }
  }
  return [...ties.values()];
}

/** Tells whether two entries of one kind claim a message in common, and neither is the more specific one. */
function isTied<Target>(one: MatchEntry<Target>, other: MatchEntry<Target>): boolean {
  if (!haveCommon(one.ni, other.ni) || !haveCommon(one.networkAppearance, other.networkAppearance))
    return false;
  if (one.cic === undefined || other.cic === undefined) return true;
  const shared = countCircuits(intersect(one.cic, other.cic));
  if (shared === 0) return false;
  const [fewer, more] = [countCircuits(one.cic), countCircuits(other.cic)].toSorted((a, b) => a - b);
  return fewer === more || shared < (fewer ?? 0);
}

/** Tells whether an entry claims, of its kind, the same messages as another. */
function isSame<Target>(one: MatchEntry<Target>, other: MatchEntry<Target>): boolean {
  return describeLabel(one) === describeLabel(other);
}

function haveCommon(one: readonly number[] | undefined, other: readonly number[] | undefined): boolean {
  return one === undefined || other === undefined || one.some((value) => other.includes(value));
}

/** Returns the circuits that stand in both. */
function intersect(one: readonly CircuitRange[], other: readonly CircuitRange[]): readonly CircuitRange[] {
  return one.flatMap((a) =>
    other.flatMap((b) => {
      const first = Math.max(a.first, b.first);
      const last = Math.min(a.last, b.last);
      return first > last ? [] : [{ first, last }];
    }),
  );
}

function describeShared<Target>(one: MatchEntry<Target>, other: MatchEntry<Target>): string {
  return describeLabel({
    cic: one.cic && other.cic && intersect(one.cic, other.cic),
    networkAppearance: one.networkAppearance?.filter((value) => other.networkAppearance?.includes(value)),
    ni: one.ni?.filter((value) => other.ni?.includes(value)),
  });
}

/** A value or several, as they are shown; undefined: any. */
type Shown = number | string | undefined;

/** Lists every combination of port and point codes that an entry claims, in words. */
function describeClaims<Target>(entry: MatchEntry<Target>): readonly string[] {
  const codes = (entry.opc ?? [undefined]).flatMap((opc) =>
    (entry.dpc ?? [undefined]).map((dpc) => describeCodes(opc, dpc)),
  );
  return (entry.ports ?? [undefined]).flatMap((port) => {
    const claim = describeClaim(entry, port);
    return codes.map((label) => claim + label);
  });
}

function describeCodes(opc: Shown, dpc: Shown): string {
  return `${opc === undefined ? "" : ` from point code ${opc}`}${dpc === undefined ? "" : ` to point code ${dpc}`}`;
}

function describeClaim<Target>(entry: MatchEntry<Target>, port: Shown): string {
  const { network, listener, tlsName } = entry;
  const from = `${formatNetwork(network)}${port === undefined ? "" : ` port ${port}`}`;
  const named = tlsName === undefined ? from : `${from} as ${tlsName}`;
  return listener === undefined ? named : `${named} on ${listener}`;
}

/** The parts of a label beside the point codes, in words. */
function describeLabel({
  cic,
  networkAppearance,
  ni,
}: Pick<MatchEntry<unknown>, "cic" | "networkAppearance" | "ni">): string {
  return [
    describeValues("circuit", cic?.map(describeRange)),
    describeValues("network appearance", networkAppearance),
    describeValues("network indicator", ni),
  ].join("");
}

function describeValues(noun: string, values: readonly (number | string)[] | undefined): string {
  return values === undefined ? "" : `, ${noun} ${values.join(" ")}`;
}

function describeRange({ first, last }: CircuitRange): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

/** Says in words which messages an entry claims: "192.0.2.0/24 from point code 1 2, circuit 1-30". */
export function describeEntry<Target>(entry: MatchEntry<Target>): string {
  const codes = describeCodes(entry.opc?.join(" "), entry.dpc?.join(" "));
  return describeClaim(entry, entry.ports?.join(" ")) + codes + describeLabel(entry);
}
