// Finds broken references in a policy: unknown names, names given twice, trunks that overlap.
import { parseNetwork } from "../../net/address.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import { buildNextHop } from "./next-hop.ts";
import { joinCircuits } from "./keys/match-schema.ts";
import { readPointCode } from "./keys/point-code.ts";
import type { Placed, PolicyFile } from "./policy-file.ts";
import { writtenIds } from "./policy-file.ts";
import type { TrunkEntry } from "./policy-schema.ts";
import { parseListener } from "../sigwall/static-schema.ts";
import { suggest } from "../yaml/suggestion.ts";
import { findTies } from "../../policy/match-ties.ts";
import type { MatchEntry } from "../../policy/trunk-match.ts";

/**
 * Finds what the schema can't: unknown names, names given twice, and trunks that can't be told
 * apart.
 *
 * @param listeners canonical listener ids of `sigwall.yaml`; undefined: listeners are not checked
 */
export function findBrokenReferences(
  file: PolicyFile,
  listeners: readonly string[] | undefined,
): readonly ConfigIssue[] {
  return [
    ...findDuplicates(file, "trunk", file.trunks),
    ...findDuplicates(file, "lessee", file.lessees),
    ...findSharedNames(file),
    ...findUnknownNames(file),
    ...findListenerIssues(file, listeners),
    ...findRepeatedHops(file),
    ...findOverlaps(file),
  ];
}

/**
 * Lists the ways in which sources are recognised as a trunk. A listener that can't be read matches
 * nothing.
 */
export function matchEntriesOf<Target>(trunk: TrunkEntry, target: Target): readonly MatchEntry<Target>[] {
  const { addresses, ports, listener, tlsName } = trunk.match;
  const label = {
    opc: trunk.match.opc?.flatMap(readPointCode),
    dpc: trunk.match.dpc?.flatMap(readPointCode),
    cic: trunk.match.cic && joinCircuits(trunk.match.cic),
    networkAppearance: listed(trunk.match.networkAppearance),
    ni: listed(trunk.match.ni),
  };
  const parsed = listener === undefined ? undefined : parseListener(listener);
  const id = typeof parsed === "object" ? parsed.id : listener;
  return addresses.flatMap((text) => {
    const network = parseNetwork(text);
    if (typeof network === "string") return [];
    return [{ target, network, ports, listener: id, tlsName: tlsName?.toLowerCase(), ...label }];
  });
}

/** One value may be written without a list. */
function listed(written: number | readonly number[] | undefined): readonly number[] | undefined {
  return typeof written === "number" ? [written] : written;
}

function findDuplicates(
  { source }: PolicyFile,
  noun: string,
  entries: readonly Placed<{ readonly id: string }>[],
): readonly ConfigIssue[] {
  const seen = new Set<string>();
  return entries.flatMap(({ path, value: { id } }) => {
    if (seen.has(id)) return [source.issueAt([...path, "id"], `another ${noun} already has the id "${id}"`)];
    seen.add(id);
    return [];
  });
}

/**
 * Number lists of lessees and deny lists share one name space: both label `sigwall_list_numbers`.
 */
function findSharedNames({ source, lists, lessees }: PolicyFile): readonly ConfigIssue[] {
  const names = new Set(lessees.map(({ value }) => value.id));
  return lists
    .filter(({ value }) => names.has(value.id))
    .map(({ path, value }) =>
      source.issueAt(path, `the list of lessee "${value.id}" already has this name; rename one of them`),
    );
}

function findUnknownNames({ source, trunks, specialUsers }: PolicyFile): readonly ConfigIssue[] {
  const lesseeIds = writtenIds(source, "lessees");
  const trunkIds = writtenIds(source, "trunks");
  const issues: ConfigIssue[] = [];
  for (const { path, value } of trunks) {
    if (value.lessee === undefined || lesseeIds.includes(value.lessee)) continue;
    const message = `unknown lessee "${value.lessee}"${suggest(value.lessee, lesseeIds)}`;
    issues.push(source.issueAt([...path, "lessee"], message));
  }
  for (const { path, value } of specialUsers) {
    if (trunkIds.includes(value.trunk)) continue;
    const message = `unknown trunk "${value.trunk}"${suggest(value.trunk, trunkIds)}`;
    issues.push(source.issueAt([...path, "trunk"], message));
  }
  return issues;
}

function findListenerIssues(
  { source, trunks }: PolicyFile,
  listeners: readonly string[] | undefined,
): readonly ConfigIssue[] {
  return trunks.flatMap(({ path, value }) => {
    const { listener, tlsName } = value.match;
    if (tlsName !== undefined) {
      const here = listener === undefined ? listeners : [listener.toLowerCase()];
      if (here !== undefined && !here.some((id) => id.startsWith("tls:"))) {
        const message = `${listener === undefined ? "no listener is tls" : "this listener is not tls"}: the trunk never matches`;
        return [source.issueAt([...path, "match", "tlsName"], message)];
      }
    }
    if (listener === undefined) return [];
    const parsed = parseListener(listener);
    const place = [...path, "match", "listener"];
    if (typeof parsed === "string") return [source.issueAt(place, parsed)];
    if (listeners === undefined || listeners.includes(parsed.id)) return [];
    return [
      source.issueAt(
        place,
        `no such listener in sigwall.yaml: "${listener}"${suggest(parsed.id, listeners)}`,
      ),
    ];
  });
}

/**
 * Reports a next hop given twice on one trunk. It would have one state and one metric series;
 * `weight` is what the operator wants.
 */
function findRepeatedHops({ source, trunks }: PolicyFile): readonly ConfigIssue[] {
  return trunks.flatMap(({ path, value }) => {
    const seen = new Set<string>();
    return (value.nextHops ?? []).flatMap((entry, index) =>
      buildNextHop(entry).flatMap(({ id }) => {
        if (!seen.has(id)) {
          seen.add(id);
          return [];
        }
        const message = `the next hop "${id}" is on this trunk already; \`weight\` gives it a larger share`;
        return [source.issueAt([...path, "nextHops", index], message)];
      }),
    );
  });
}

function findOverlaps({ source, trunks }: PolicyFile): readonly ConfigIssue[] {
  const entries = trunks.flatMap((trunk) => matchEntriesOf(trunk.value, trunk));
  return findTies(entries).map(({ first, second, claim }) => {
    const message = `overlaps with trunk "${first.value.id}": both claim ${claim}`;
    return source.issueAt([...second.path, "match"], message);
  });
}
