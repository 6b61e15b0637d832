// Reviews the sides of the filter: who can pose as the core, and by which listener a trunk is reached.
import type { TrunkPlan } from "../policy/build-policy.ts";
import { parseListener } from "../sigwall/static-schema.ts";
import type { ConfigIssue, Path } from "../yaml/issue.ts";
import { ANY_NAME } from "../../policy/trunk-match.ts";
import type { Policy } from "../../policy/policy.ts";

type Warn = (path: Path, message: string) => ConfigIssue;

/**
 * Finds core trunks that a forged source address on a datagram is enough to be, trunks that several
 * listeners reach, and next hops of the core that are the core.
 *
 * @param listeners canonical listener ids
 */
export function reviewSides(
  warn: Warn,
  policy: Policy,
  plans: readonly TrunkPlan[],
  listeners: readonly string[],
): readonly ConfigIssue[] {
  return [
    ...reviewCore(warn, plans, listeners),
    ...reviewLeaving(warn, plans, listeners),
    ...plans.flatMap((plan) => reviewCoreHops(warn, policy, plan, listeners)),
  ];
}

/** Lists the listeners on which a trunk is recognised. */
function listenersOf({ entry: { value } }: TrunkPlan, listeners: readonly string[]): readonly string[] {
  const { listener, tlsName } = value.match;
  const parsed = listener === undefined ? undefined : parseListener(listener);
  return listeners.filter(
    (id) =>
      (tlsName === undefined || id.startsWith("tls:")) &&
      (parsed === undefined || (typeof parsed === "object" && parsed.id === id)),
  );
}

/**
 * Reports a core trunk whose source address is accepted on a UDP listener of other trunks. Calls of the
 * core are not judged, and a datagram proves nothing about its source.
 */
function reviewCore(
  warn: Warn,
  plans: readonly TrunkPlan[],
  listeners: readonly string[],
): readonly ConfigIssue[] {
  const udp = listeners.filter((id) => id.startsWith("udp:"));
  const ofStrangers = new Set(
    plans.filter(({ trunk }) => trunk.side !== "core").flatMap((plan) => listenersOf(plan, udp)),
  );
  return plans.flatMap((plan) => {
    const shared =
      plan.trunk.side === "core" ? listenersOf(plan, udp).filter((id) => ofStrangers.has(id)) : [];
    if (shared.length === 0) return [];
    const message = `on ${shared.join(", ")} other trunks are heard too: a datagram with a forged source address passes as the core, unjudged; give the core a listener of its own (match.listener of every trunk) and drop forged sources at the border (uRPF, see docs/operations.md)`;
    return [warn([...plan.entry.path, "match"], message)];
  });
}

/** Reports, at the first of them, trunks to which several listeners of one transport and family can send. */
function reviewLeaving(
  warn: Warn,
  plans: readonly TrunkPlan[],
  listeners: readonly string[],
): readonly ConfigIssue[] {
  const unclear = plans.flatMap((plan) => {
    const ways = listenersOf(plan, listeners);
    const families = new Set(plan.entry.value.match.addresses.map((address) => isIpv6(address)));
    const several = ways.filter(
      (id) =>
        families.has(id.includes("[")) &&
        ways.some(
          (other) => other !== id && other.includes("[") === id.includes("[") && isSameTransport(id, other),
        ),
    );
    return several.length === 0 ? [] : [{ plan, several }];
  });
  const [first] = unclear;
  if (first === undefined) return [];
  const others =
    unclear.length === 1
      ? ""
      : `, and to ${unclear.length - 1} other trunk${unclear.length === 2 ? "" : "s"}`;
  const message = `${first.several.join(" and ")} can send to it${others}: a message leaves by the one that it came in by, OPTIONS by the first; name the one that the peer knows in match.listener`;
  return [warn([...first.plan.entry.path, "match"], message)];
}

/** Tells whether an address or block is one of IPv6, apart from IPv4-mapped ones. */
function isIpv6(network: string): boolean {
  return network.includes(":") && !network.toLowerCase().startsWith("::ffff:");
}

function isSameTransport(one: string, other: string): boolean {
  return one.slice(0, one.indexOf(":")) === other.slice(0, other.indexOf(":"));
}

/** Reports next hops of a core trunk that are the core: such calls are refused. */
function reviewCoreHops(
  warn: Warn,
  { matchTrunk }: Policy,
  { entry, trunk }: TrunkPlan,
  listeners: readonly string[],
): readonly ConfigIssue[] {
  if (trunk.side !== "core") return [];
  return trunk.nextHops.flatMap(({ id, address, port }, index) => {
    if (address === undefined) return [];
    // At an address that a PBX shares with the core, the listener of the PBX is used.
    const sides = listeners.map((listener) => matchTrunk(listener, address, port, ANY_NAME)?.trunk.side);
    if (!sides.includes("core") || sides.some((side) => side !== undefined && side !== "core")) return [];
    const message = `${id} is the core itself: calls from the core to the core are refused (routing-refused)`;
    return [warn([...entry.path, "nextHops", index], message)];
  });
}
