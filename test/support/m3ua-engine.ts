import { keepDecisions, naming } from "./events.ts";
import type { Endpoint } from "../../src/net/address.ts";
import type { LinkConfig } from "../../src/config/sigwall/m3ua-schema.ts";
import type { Policy } from "../../src/policy/policy.ts";
import type { Decision } from "../../src/domain/decision.ts";
import { createM3uaEngine } from "../../src/engines/m3ua/m3ua-engine.ts";
import { createCounters, type Counters } from "../../src/observe/counters.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { CORE, LEASE } from "./isup-relay.ts";
import { compileText } from "./proxy.ts";

/** Everybody lives on loopback: point codes tell the trunks apart. */
export const loopbackPolicy = `
version: 1
home: { country: "86" }
timeZone: Asia/Shanghai
overload: { mode: "off" }
trunks:
  - { id: core, side: core, match: { addresses: [127.0.0.1], opc: [${CORE}] } }
  - { id: lease, side: lessee, match: { addresses: [127.0.0.1], opc: [${LEASE}], dpc: [${CORE}] }, lessee: bank, areaCode: "10" }
lessees:
  - { id: bank, name: Bank, contract: HT-1, numbers: bank.csv }
`;

export interface TestEngine {
  readonly counters: Counters;
  readonly decisions: Decision[];
  readonly notes: string[];
  /** Of the associations that listen. */
  readonly ports: readonly number[];
  readonly stop: () => Promise<void>;
}

/** The engine on real sockets, with one link or several. */
export async function startEngine(
  links: LinkConfig | readonly LinkConfig[],
  policy?: Policy,
): Promise<TestEngine> {
  const compiled = policy ?? compileText(loopbackPolicy);
  const counters = createCounters();
  const decisions: Decision[] = [];
  const notes: string[] = [];
  const engine = createM3uaEngine({
    config: { variant: "itu", links: Array.isArray(links) ? links : [links] },
    policy: () => compiled,
    state: createScreeningState(compiled.tables),
    counters,
    naming,
    happened: keepDecisions(decisions),
    fault: (error) => notes.push(`fault: ${error instanceof Error ? error.stack : String(error)}`),
    warn: (message) => notes.push(message),
    info: (message) => notes.push(message),
  });
  const listening = await engine.start();
  return {
    counters,
    decisions,
    notes,
    ports: listening.map((text) => Number(text.slice(text.lastIndexOf(":") + 1))),
    stop: () => engine.stop(),
  };
}

const loopback = "127.0.0.1";

/** One end with one address, as it is in the configuration. */
const onePlace = (port: number): { one: Endpoint; all: readonly [Endpoint] } => {
  const one = { address: loopback, port };
  return { one, all: [one] };
};

/** The lessee connects to the filter, and the filter to the core's `port`. */
export function linkTo(transport: "sctp" | "tcp", port: number, localPort = 0): LinkConfig {
  const any = onePlace(0);
  const local = onePlace(localPort);
  const remote = onePlace(port);
  return {
    associations: [
      {
        id: "lease",
        transport,
        role: "server",
        local: any.one,
        locals: any.all,
        remote: any.one,
        remotes: any.all,
      },
      {
        id: "core",
        transport,
        role: "client",
        local: local.one,
        locals: local.all,
        remote: remote.one,
        remotes: remote.all,
      },
    ],
  };
}
