// One link: two M3UA associations with the relay of their linkset between them, and how they go up and down together.
import { bracketed, formatEndpoint } from "../../net/endpoint.ts";
import type { Millis } from "../../domain/time.ts";
import type { AssociationConfig, LinkConfig } from "../../config/sigwall/m3ua-schema.ts";
import type { Ss7Counters } from "../../observe/ss7-counters.ts";

import type { AssociationEnd, IsupRelay } from "../../isup/isup-relay.ts";
import { across, type LinkIndex, type LinkSide } from "../../isup/links.ts";
import type { AssociationPlace } from "../../isup/isup-turn.ts";
import type {
  Association,
  AssociationEnds,
  AssociationNote,
  AssociationServer,
  PendingAssociation,
  SignallingTransport,
} from "../../wire/sctp/association.ts";
import { createBackOff } from "../../wire/streams/back-off.ts";
import { createNoteTaker } from "./association-notes.ts";
import { createNewcomers, type Newcomers } from "./newcomers.ts";

/** How long an association waits for the other one of its pair. */
const PATIENCE: Millis = 10_000;

export interface LinkParts {
  readonly config: LinkConfig;
  readonly transportOf: (association: AssociationConfig) => SignallingTransport;
  /** The relay of the linkset, and the place of the link there. */
  readonly relay: IsupRelay;
  readonly index: LinkIndex;
  /** The side of the linkset that the first association of the link belongs to. */
  readonly firstSide: LinkSide;
  readonly counters: Ss7Counters;
  readonly now: () => Millis;
  /** The pair went up or down, and why. */
  readonly changed: (isUp: boolean, why: string) => void;
  /** Takes a message for the log that stops nothing: a stranger connects, or a peer can't be reached. */
  readonly noted: (message: string) => void;
}

/** A pair of associations with the relay between them: both are up, or neither carries anything. */
export interface M3uaLink {
  /** Listens and begins to connect. Resolves with the addresses that it listens on. */
  start(): Promise<readonly string[]>;
  readonly isUp: boolean;
  /** Sends to a side of the linkset. */
  send(side: LinkSide, stream: number, bytes: Buffer): void;
  /** Lets time pass. Called several times a second. */
  tick(now: Millis): void;
  stop(): Promise<void>;
}

const sides = [0, 1] as const;

export function createM3uaLink(parts: LinkParts): M3uaLink {
  const { config, relay, index, counters } = parts;
  /** Which side of the linkset each association belongs to. */
  const from = sides.map((end): AssociationEnd => ({
    link: index,
    side: parts.firstSide === 0 ? end : across(end),
  }));
  const backOff = createBackOff();
  const servers: AssociationServer[] = [];
  const pending: [PendingAssociation | undefined, PendingAssociation | undefined] = [undefined, undefined];
  const since: [Millis, Millis] = [0, 0];
  const dials: [(() => void) | undefined, (() => void) | undefined] = [undefined, undefined];
  const newcomers = [newcomersOf(0), newcomersOf(1)] as const;
  const notes = [notesOf(0), notesOf(1)] as const;
  let pair: readonly [Association, Association] | undefined;
  let isStopped = false;

  function of(side: LinkSide): AssociationConfig {
    return config.associations[side];
  }

  function newcomersOf(side: LinkSide): Newcomers {
    return createNewcomers({ config: of(side), counters, now: parts.now, noted: parts.noted });
  }

  function notesOf(side: LinkSide): (note: AssociationNote) => void {
    return createNoteTaker({ id: of(side).id, counters, now: parts.now, noted: parts.noted });
  }

  function bringDown(why: string): void {
    const former = pair;
    if (former === undefined) return;
    pair = undefined;
    for (const association of former) association.close();
    relay.disconnect(parts.now(), index);
    counters.linksDown++;
    for (const side of sides) if (of(side).role === "client") backOff.failed(of(side).id, parts.now());
    parts.changed(false, why);
  }

  function arrive(side: LinkSide, peer: PendingAssociation): void {
    if (isStopped) {
      peer.refuse();
      return;
    }
    if (!newcomers[side].isExpected(peer)) {
      newcomers[side].refuse(peer);
      return;
    }
    const former = pair?.[side] ?? pending[side];
    if (former === undefined) settle(side, peer);
    else newcomers[side].wait(peer, former, () => succeed(side, former, peer));
  }

  /** Takes a newcomer after the death of the association that was there. */
  function succeed(side: LinkSide, former: AssociationEnds, peer: PendingAssociation): void {
    if (pair?.[side] === former)
      bringDown(
        `${of(side).id}: the peer has connected again, and no longer answers on its former association`,
      );
    else if (pending[side] === former) {
      pending[side].refuse();
      pending[side] = undefined;
    }
    arrive(side, peer);
  }

  function settle(side: LinkSide, peer: PendingAssociation): void {
    pending[side] = peer;
    since[side] = parts.now();
    if (pending[across(side)] === undefined) dial(across(side));
    else bringUp();
  }

  function bringUp(): void {
    const [first, second] = pending;
    if (first === undefined || second === undefined) return;
    pending[0] = pending[1] = undefined;
    const opened = [openSide(0, first), openSide(1, second)] as const;
    pair = opened;
    const places = [placeOf(of(0), first), placeOf(of(1), second)] as const;
    relay.connect(index, parts.firstSide === 0 ? places : [places[1], places[0]]);
    counters.linksUp++;
    for (const side of sides) backOff.succeeded(of(side).id);
    parts.changed(true, "");
    for (const association of opened) association.read(true);
  }

  function openSide(side: LinkSide, peer: PendingAssociation): Association {
    const own = peer.open({
      message(stream, bytes) {
        relay.handle(parts.now(), from[side]!, stream, bytes);
        // Messages that can't be sent on wait at their sender.
        if (pair?.[across(side)].isCongested === true) own.read(false);
      },
      drained: () => pair?.[across(side)].read(true),
      closed: (why) => {
        if (pair?.[side] === own) bringDown(`${of(side).id}: ${why}`);
      },
      restarted(renewed) {
        if (pair?.[side] === own) bringDown(`${of(side).id}: the peer restarted`);
        arrive(side, renewed);
      },
      noted: notes[side],
    });
    return own;
  }

  /**
   * Connects a side when it is its turn: the other side is connected and waits, or both are clients and this one is the
   * first.
   */
  function dial(side: LinkSide): void {
    const { id, role, locals, remotes } = of(side);
    const isDue = pending[across(side)] !== undefined || (of(across(side)).role === "client" && side === 0);
    if (role !== "client" || !isDue || pair !== undefined || isStopped) return;
    if (pending[side] !== undefined || dials[side] !== undefined || backOff.isBlocked(id, parts.now()))
      return;
    dials[side] = parts.transportOf(of(side)).connect(locals, remotes, (outcome) => {
      dials[side] = undefined;
      if (!(outcome instanceof Error)) {
        arrive(side, outcome);
        return;
      }
      backOff.failed(id, parts.now());
      parts.noted(`${id}: ${outcome.message}`);
    });
  }

  function giveUpWaiting(now: Millis): void {
    for (const side of sides) {
      const peer = pending[side];
      if (peer === undefined || now - since[side] < PATIENCE) continue;
      pending[side] = undefined;
      peer.refuse();
      if (of(side).role === "client") backOff.failed(of(side).id, now);
      parts.noted(`${of(side).id}: closed, since ${of(across(side)).id} does not come up`);
    }
  }

  async function stop(): Promise<void> {
    isStopped = true;
    for (const giveUp of dials) giveUp?.();
    for (const waiting of newcomers) waiting.stop();
    for (const peer of pending) peer?.refuse();
    pending[0] = pending[1] = undefined;
    bringDown("the filter ends");
    await Promise.all(servers.splice(0).map((server) => server.close()));
  }

  return {
    async start() {
      const listening: string[] = [];
      for (const side of sides) {
        const { role, transport, locals, remotes } = of(side);
        if (role === "client") continue;
        const server = await parts
          .transportOf(of(side))
          .listen({ locals, remotes }, (peer) => arrive(side, peer), newcomers[side].failed);
        servers.push(server);
        const addresses = locals.map(({ address }) => bracketed(address)).join(",");
        listening.push(`${transport}:${addresses}:${server.port}`);
      }
      dial(0);
      dial(1);
      return listening;
    },
    get isUp() {
      return pair !== undefined;
    },
    send: (side, stream, bytes) => pair?.[parts.firstSide === 0 ? side : across(side)].send(stream, bytes),
    tick(now) {
      giveUpWaiting(now);
      dial(0);
      dial(1);
    },
    stop,
  };
}

/** Trunks match the first address of each end, whichever path the peer came by. */
function placeOf({ transport, local, remote }: AssociationConfig, ends: AssociationEnds): AssociationPlace {
  return {
    id: `${transport}:${formatEndpoint(local)}`,
    transport,
    localAddress: local.address,
    localPort: ends.localPort,
    address: remote.address,
    port: ends.port,
  };
}
