// Groups links into linksets: those between the same two networks share one memory of circuits.
import type { LinkSide } from "../../isup/links.ts";
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
  readonly ends: [Set<string>, Set<string>];
  readonly members: LinksetMember[];
}

/**
 * Groups the links. Links of one name are one linkset. Links without a name are one linkset where both of their ends
 * may belong to the same trunks: to the exchanges they are ways between the same two networks.
 */
export function groupLinks(
  links: readonly LinkConfig[],
  policy: Policy,
): readonly (readonly LinksetMember[])[] {
  const groups: Group[] = [];
  for (const [link, { linkset, associations }] of links.entries()) {
    const ends: Ends = [trunksAt(policy, associations[0]), trunksAt(policy, associations[1])];
    const group = groups.find(({ name, ends: others }) =>
      linkset === undefined ? name === undefined && sideIn(others, ends) !== undefined : name === linkset,
    );
    const firstSide = group === undefined ? 0 : (sideIn(group.ends, ends) ?? 0);
    if (group === undefined)
      groups.push({
        name: linkset,
        ends: [new Set(ends[0]), new Set(ends[1])],
        members: [{ link, firstSide }],
      });
    else {
      for (const id of ends[0]) group.ends[firstSide].add(id);
      for (const id of ends[1]) group.ends[firstSide === 0 ? 1 : 0].add(id);
      group.members.push({ link, firstSide });
    }
  }
  return groups.map(({ members }) => members);
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

function trunksAt(policy: Policy, { transport, local, remote }: AssociationConfig): ReadonlySet<string> {
  const trunks = policy.trunksAt(`${transport}:${formatEndpoint(local)}`, remote.address);
  return new Set(trunks.map(({ trunk }) => trunk.id));
}
