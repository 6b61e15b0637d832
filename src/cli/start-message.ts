// The text that `run` prints when the filter is up, and how associations are shown.
import { formatEndpoint } from "../net/endpoint.ts";
import type { StaticConfig } from "../config/load-static.ts";
import type { Policy } from "../policy/policy.ts";
import type { App } from "../app/app.ts";
import type { LogFields } from "../observe/log.ts";

/**
 * The example configuration of the project. The trunks and ports of the sample call belong to it.
 */
const example = "config/sigwall.yaml";

/**
 * Writes what `run` prints when the filter is up: where it listens, what is in force, and what to
 * try next.
 */
export function describeStart(
  { listening, sockets, admin }: Pick<App, "listening" | "sockets" | "admin">,
  policy: Policy,
  configPath: string,
): string {
  const { revision, trunks, lists } = policy;
  const lines = [
    `sigwall is up with policy ${revision}: ${trunks.length} trunks, ${lists.length} lists`,
    ...listening.map((listener) => `  listening  ${listener}`),
    ...(sockets === "none" ? [] : [`  sockets    ${sockets}`]),
    `  admin      ${admin}`,
    "try next, in another terminal:",
  ];
  if (configPath === example) lines.push("  node scripts/place-call.mjs --from 01087654321");
  const [screened] = trunks.filter(({ trunk }) => trunk.side !== "core");
  if (screened !== undefined) {
    const call = `--trunk ${screened.trunk.id} --from 01087654400 --to 02787654321`;
    lines.push(`  node dist/main.js explain --config ${configPath} ${call}`);
  }
  lines.push(`  curl -s ${admin}/metrics | grep ^sigwall`);
  return `${lines.join("\n")}\n`;
}

/** What {@link describeStart} says, as fields of a log line. */
export function startFields(
  { listening, sockets, admin }: Pick<App, "listening" | "sockets" | "admin">,
  { revision, trunks, lists }: Policy,
): LogFields {
  return { revision, trunks: trunks.length, lists: lists.length, listening, sockets, admin };
}

/**
 * Describes the associations of the engine m3ua: "core (sctp on 192.0.2.1:2905)". Empty with other
 * engines.
 */
export function describeLinks({ m3ua }: Pick<StaticConfig, "m3ua">): readonly string[] {
  return (m3ua?.links ?? []).flatMap(({ associations }) =>
    associations.map(({ id, transport, role, locals, remotes }) => {
      const places = (role === "server" ? locals : remotes).map(formatEndpoint).join(" and ");
      return `${id} (${transport} ${role === "server" ? "on" : "to"} ${places})`;
    }),
  );
}
