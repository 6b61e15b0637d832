// Groups links into linksets: those between the same two networks share one memory of circuits.
import { across, type LinkSide } from "../../isup/links.ts";
import type { AssociationConfig, LinkConfig } from "../../config/sigwall/m3ua-schema.ts";

import { formatEndpoint } from "../../net/endpoint.ts";
import type { Policy } from "../../policy/policy.ts";

/** A link in its linkset. */
export interface LinksetMember {
  /** The place of the link in the configuration. */
  readonly link: number;
  /** The side of the linkset that its first association belongs to: links may name their ends in either order. */
  readonly firstSide: LinkSide;
}

/** The ids of the trunks at each end of a link. */
type Ends = readonly [ReadonlySet<string>, ReadonlySet<string>];

interface Group {
  readonly name: string | undefined;
  readonly ends: readonly [Set<string>, Set<string>];
  /** The side where the trunks of the core are; undefined where that is both, or neither. */
  readonly core: LinkSide | undefined;
  readonly members: readonly LinksetMember[];
}

/**
 * Groups the links. Links of one name are one linkset. Links without a name are one linkset where both of their ends
 * may belong to the same trunks: to the exchanges they are ways between the same two networks. A link may so bring
 * together links that have nothing in common but it.
 */
export function groupLinks(
  links: readonly LinkConfig[],
  policy: Policy,
): readonly (readonly LinksetMember[])[] {
  let groups: readonly Group[] = [];
  for (const [link, { linkset, associations }] of links.entries()) {
    const [first, second] = associations;
    const ends = [trunksAt(policy, first), trunksAt(policy, second)] as const;
    let whole: Group = {
      name: linkset,
      ends,
      core: coreOf(policy, ends),
      members: [{ link, firstSide: 0 }],
    };
    const apart: Group[] = [];
    for (const group of groups) {
      const side = sideIn(group.ends, whole.ends);
      const isSame =
        linkset === undefined ? group.name === undefined && side !== undefined : group.name === linkset;
      if (isSame) whole = join(group, whole, side ?? sideByCore(group, whole));
      else apart.push(group);
    }
    groups = [...apart, whole];
  }
  return groups.map(inOrder).toSorted(([a], [b]) => (a?.link ?? 0) - (b?.link ?? 0));
}

/** In the order of the configuration. The first association of the first link is on side 0. */
function inOrder({ members }: Group): readonly LinksetMember[] {
  const ordered = members.toSorted((a, b) => a.link - b.link);
  if (ordered[0]?.firstSide !== 1) return ordered;
  return ordered.map(({ link, firstSide }) => ({ link, firstSide: across(firstSide) }));
}

/** @param side the side of `group` that the first side of `other` is */
function join(group: Group, other: Group, side: LinkSide): Group {
  const [first, second] = side === 0 ? other.ends : [other.ends[1], other.ends[0]];
  return {
    name: group.name,
    ends: [new Set([...group.ends[0], ...first]), new Set([...group.ends[1], ...second])],
    core: group.core ?? (other.core === undefined || side === 0 ? other.core : across(other.core)),
    members: [
      ...group.members,
      ...other.members.map(({ link, firstSide }): LinksetMember => ({
        link,
        firstSide: side === 0 ? firstSide : across(firstSide),
      })),
    ],
  };
}

/** Links of one name may have no trunk in common: the core tells which ends belong together. */
function sideByCore(group: Group, other: Group): LinkSide {
  return group.core === undefined || other.core === undefined || group.core === other.core ? 0 : 1;
}

function coreOf(policy: Policy, ends: Ends): LinkSide | undefined {
  const [first, second] = ends.map((ids) =>
    policy.trunks.some(({ trunk }) => trunk.side === "core" && ids.has(trunk.id)),
  );
  if (first === second) return undefined;
  return first === true ? 0 : 1;
}

/** The side of a group that the first end of a link belongs to; undefined where the ends are not the same networks. */
function sideIn([one, other]: Ends, [first, second]: Ends): LinkSide | undefined {
  if (meet(one, first) && meet(other, second)) return 0;
  return meet(one, second) && meet(other, first) ? 1 : undefined;
}

function meet(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  for (const id of one) if (other.has(id)) return true;
  return false;
}

function trunksAt(policy: Policy, { transport, local, remote }: AssociationConfig): Set<string> {
  const trunks = policy.trunksAt(`${transport}:${formatEndpoint(local)}`, remote.address);
  return new Set(trunks.map(({ trunk }) => trunk.id));
}
