// The M3UA engine: the linksets, their clock and their overload control.
import { capabilitiesOf } from "../../domain/capabilities.ts";
import { performance } from "node:perf_hooks";
import type { AssociationConfig, M3uaConfig } from "../../config/sigwall/m3ua-schema.ts";
import { decisionCount } from "../../observe/counters.ts";
import { createIsupRelay, type IsupRelay } from "../../isup/isup-relay.ts";
import { usualForm, type LinkForm } from "../../isup/isup-turn.ts";
import type { LinkIndex } from "../../isup/links.ts";
import { createOverload } from "../../judging/overload.ts";
import type { SignallingTransport } from "../../wire/sctp/association.ts";
import { createEngineCalls } from "../engine-calls.ts";
import { inTurn, remaining, runRelease } from "../release-run.ts";
import type { Engine, EngineParts } from "../engine.ts";
import { engineNow, followWall } from "../../wire/kernel/clock.ts";
import { loadKernelSctp } from "../../wire/sctp/kernel-sctp.ts";
import { startLoadProbe, type LoadProbe } from "../load-probe.ts";
import { createM3uaLink, type M3uaLink } from "./association-pair.ts";
import { groupLinks, type LinksetMember } from "./linksets.ts";
import { createSctpTransport } from "../../wire/sctp/sctp-transport.ts";
import { tcpTransport } from "../../wire/sctp/tcp-transport.ts";
import { createTrafficWatch } from "../traffic-watch.ts";

/** Time between two ticks. Milliseconds. */
const TICK = 100;

export interface M3uaEngineParts extends Pick<
  EngineParts,
  "policy" | "state" | "counters" | "naming" | "happened" | "evidence" | "remembers" | "fault"
> {
  readonly config: M3uaConfig;
  readonly warn: (message: string) => void;
  readonly info: (message: string) => void;
}

function formOf({ variant, links }: M3uaConfig, index: number): LinkForm {
  const link = links[index];
  return {
    variant: link?.variant ?? variant,
    endMayBeMissing: link?.acceptMissingEnd ?? false,
    releaseCause: link?.releaseCause ?? usualForm.releaseCause,
    releaseLocation: link?.releaseLocation ?? usualForm.releaseLocation,
  };
}

/** Creates the SS7 engine: linksets of M3UA links with an ISUP relay each. */
export function createM3uaEngine(parts: M3uaEngineParts): Engine {
  const { config, counters } = parts;
  const overload = createOverload();
  const traffic = createTrafficWatch(counters, performance.now());
  const links: M3uaLink[] = [];
  const relays: IsupRelay[] = [];
  let timer: NodeJS.Timeout | undefined;
  let probe: LoadProbe | undefined;
  let judged = 0;
  const calls = createEngineCalls(parts);

  async function loadTransports(): Promise<(association: AssociationConfig) => SignallingTransport> {
    const wantsSctp = config.links.some(({ associations }) =>
      associations.some(({ transport }) => transport === "sctp"),
    );
    const sctp = wantsSctp ? await loadKernelSctp() : undefined;
    if (typeof sctp === "string") throw new Error(sctp);
    const kernel = sctp === undefined ? tcpTransport : createSctpTransport(sctp);
    return ({ transport }) => (transport === "tcp" ? tcpTransport : kernel);
  }

  function createLinkset(
    members: readonly LinksetMember[],
    transportOf: (association: AssociationConfig) => SignallingTransport,
  ): readonly M3uaLink[] {
    const relay = createIsupRelay({
      policy: parts.policy,
      forms: members.map(({ link }) => formOf(config, link)),
      state: parts.state,
      overload,
      counters,
      evidence: parts.evidence,
      circuits: parts.policy().tables.circuits,
      elapsed: () => performance.now(),
      calls,
      sink: {
        send: (link, side, stream, bytes) => own[link]?.send(side, stream, bytes),
        happened: parts.happened,
        alarm: parts.warn,
        fault: parts.fault,
      },
    });
    relays.push(relay);
    const own = members.map((member, index) => createLink(member, index, relay, transportOf));
    return own;
  }

  function createLink(
    { link, firstSide }: LinksetMember,
    index: LinkIndex,
    relay: IsupRelay,
    transportOf: (association: AssociationConfig) => SignallingTransport,
  ): M3uaLink {
    const pair = config.links[link];
    if (pair === undefined) throw new RangeError(`no link ${link}`);
    const name = pair.associations.map(({ id }) => id).join(" and ");
    return createM3uaLink({
      config: pair,
      transportOf,
      relay,
      index,
      firstSide,
      counters: counters.ss7,
      now: engineNow,
      changed: (isUp, why) => {
        if (isUp) parts.info(`${name}: up`);
        else parts.warn(`${name}: down: ${why}`);
      },
      noted: parts.info,
    });
  }

  async function stop(): Promise<void> {
    clearInterval(timer);
    probe?.stop();
    relays.length = 0;
    await Promise.all(links.splice(0).map((link) => link.stop()));
  }

  return {
    name: "m3ua",
    capabilities: capabilitiesOf.m3ua,
    async start() {
      const listening: string[] = [];
      followWall(parts.state.wall);
      parts.remembers?.(calls);
      try {
        const transportOf = await loadTransports();
        for (const members of groupLinks(config.links, parts.policy()))
          links.push(...createLinkset(members, transportOf));
        counters.ss7.links = links.length;
        for (const link of links) listening.push(...(await link.start()));
      } catch (error) {
        await stop();
        throw error;
      }
      timer = setInterval(() => {
        followWall(parts.state.wall);
        const now = engineNow();
        for (const relay of relays) relay.tick(now);
        for (const link of links) link.tick(now);
      }, TICK).unref();
      probe = startLoadProbe((load) => {
        const before = judged;
        judged = decisionCount(counters);
        overload.measure(load, judged - before, parts.policy().overload);
        traffic.look(performance.now());
      });
      return listening;
    },
    // A missing peer stops its own pair only: the pairs that are up take new calls.
    isReady: () => !overload.isDraining && links.some(({ isUp }) => isUp),
    nextHops: () => [],
    calls: () => calls.standing(),
    names: () => [],
    evidenceKept() {
      for (const relay of relays) relay.evidenceKept(engineNow());
    },
    heldAnswers: () => relays.reduce((sum, relay) => sum + relay.heldAnswers(), 0),
    unkept: () => relays.reduce((sum, relay) => sum + relay.unkept(), 0),
    renewTls: () => undefined,
    health: () => overload,
    release: (trunks) =>
      runRelease(inTurn([...relays.map((relay) => relay.release(trunks)), remaining(calls, trunks)])),
    drain(most) {
      overload.drain();
      return traffic.quiet(performance.now(), most);
    },
    stop,
  };
}
