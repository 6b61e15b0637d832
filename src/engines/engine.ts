// What an engine is: what it is given, and what the running filter asks of it.
import type { TlsRefusal } from "../observe/stream-counters.ts";
import type { CallsView, TrunkCalls } from "../calls/calls.ts";
import type { ReleaseCount } from "../calls/release.ts";
import type { CallEvent, CallNaming } from "../domain/call.ts";
import type { Capabilities, EngineName } from "../domain/capabilities.ts";
import type { Millis } from "../domain/time.ts";
import type { HostPort } from "../net/host.ts";
import type { TrunkId } from "../domain/trunk.ts";
import type { StreamLimits } from "../config/load-static.ts";
import type { ListenAddress } from "../config/sigwall/static-schema.ts";
import type { Policy } from "../policy/policy.ts";
import type { TlsMaterial } from "../config/sigwall/tls-files.ts";
import type { Counters } from "../observe/counters.ts";
import type { HopState } from "../routing/hop-health.ts";
import type { NextHopStatus } from "../routing/next-hops.ts";
import type { EvidenceWait } from "../judging/held-refusals.ts";
import type { SharedMemory } from "../proxy/memory/shared-memory.ts";
import type { Overload } from "../judging/overload.ts";
import type { UnjudgedCall } from "../delegated/reported-calls.ts";
import type { ScreeningState } from "../screening/state.ts";
import type { NameStatus } from "../wire/dns/next-hop-names.ts";
import type { OpenDatagramPort } from "../wire/udp/udp.ts";
import type { InheritedSocket } from "../wire/kernel/inherited-sockets.ts";

/** The parts that every engine is given. Each engine feeds calls to the same rules and obeys them. */
export interface EngineParts {
  /** The listeners of sigwall.yaml. Port 0 binds any free port. */
  readonly listen: readonly ListenAddress[];
  /** Names of the filter beside its listeners. */
  readonly ownNames?: readonly HostPort[];
  /** Certificates of tls listeners; undefined when there is no such listener. */
  readonly tls?: TlsMaterial | undefined;
  /** Bounds of tcp and tls listeners; undefined when there is no such listener. */
  readonly streams?: StreamLimits;
  /** How UDP ports are opened; by `node:dgram` when left out. */
  readonly openPort?: OpenDatagramPort;
  /** Sockets that are taken over instead of binding the listener of the same id. */
  readonly inherited?: readonly InheritedSocket[];
  /** The policy in force; asked for anew with every message. */
  readonly policy: () => Policy;
  readonly state: ScreeningState;
  readonly counters: Counters;
  /** Secret of the keyed tags, at least 16 bytes, the same on every node. */
  readonly key: Uint8Array;
  /** The log of evidence, where answers to refused calls wait for it. */
  readonly evidence?: EvidenceWait | undefined;
  /** How calls are named. */
  readonly naming: CallNaming;
  /** Takes the memory of calls before the first message. A keeper of snapshots restores the last one in this call. */
  readonly remembers?: (calls: CallsView) => void;
  /** Tells other nodes of calls, and takes theirs; left out: there are none. */
  readonly sharing?: SharedMemory | undefined;
  /**
   * Takes the events of calls, as far as the engine knows them. Must return at once: bytes in the event are overwritten
   * afterwards.
   */
  readonly happened: (event: CallEvent) => void;
  /** DNS servers for next hops that are names ("192.0.2.53:53"); those of the system when left out. */
  readonly nameServers?: readonly string[];
  /** A next hop went up or down: its transport address, the new state, and why. */
  readonly nextHopChanged?: (key: string, state: HopState, why: string) => void;
  /** Look-ups of a next hop's name fail from now on, or work again (`error` undefined). */
  readonly nameChanged?: (id: string, error: string | undefined) => void;
  /** The link to a server that carries the calls came up or went down, and why. */
  readonly linkChanged?: (server: string, isUp: boolean, why: string) => void;
  /** A call that was carried without a decision of ours. */
  readonly unjudged?: (call: UnjudgedCall) => void;
  /** A TLS connection of a peer (`192.0.2.1:5061`) came to nothing: where, and why. Called for each one. */
  readonly tlsRefused?: (refusal: RefusedTls) => void;
  /** Takes an error of the filter or of the operating system. The engine goes on. */
  readonly fault: (error: unknown) => void;
  /** Takes a message for the operator, each one once. */
  readonly warn?: (message: string) => void;
}

/** A TLS connection that came to nothing. */
export interface RefusedTls {
  /** `tls:192.0.2.1:5061`. */
  readonly listener: string;
  readonly peer: string;
  readonly cause: TlsRefusal;
  readonly why: string;
}

/** What an engine knows of its own load. */
export type EngineHealth = Pick<Overload, "stage" | "isDraining" | "load">;

/** A server that carries the calls, and whether it is connected. */
export interface EngineLink {
  readonly id: string;
  readonly isUp: boolean;
}

/** The way calls come in, with the sockets, the clock and the timers for them. */
export interface Engine {
  readonly name: EngineName;
  readonly capabilities: Capabilities;
  /** Binds the listeners. Resolves with them ("udp:127.0.0.1:5060"). Rejects when one can't be bound. */
  start(): Promise<readonly string[]>;
  /** True while new calls are taken. */
  isReady(): boolean;
  /** Every next hop as it is now; none before the start. */
  nextHops(): readonly NextHopStatus[];
  /** The next hops that are host names. */
  names(): readonly NameStatus[];
  /** Uses other certificates for TLS connections from now on. Throws when they are not valid; the former ones stay. */
  renewTls(material: TlsMaterial): void;
  /** The health of the engine; undefined before the start. */
  health(): EngineHealth | undefined;
  /**
   * Takes no new calls from now on: they are answered 503 with reason `overload`. Resolves when no message in progress
   * has been seen for a while, or after `most` milliseconds.
   */
  drain(most: Millis): Promise<void>;
  /** The servers that carry the calls, where the engine has any. */
  links?(): readonly EngineLink[];
  /** Calls in progress by trunk; undefined before the start. */
  calls(): ReadonlyMap<TrunkId, TrunkCalls> | undefined;
  /** Notes that more evidence is on disk: answers that wait for it leave. */
  evidenceKept(): void;
  /** Answers that wait for their evidence. */
  heldAnswers(): number;
  /** Answers that left without waiting for longer, before their evidence was on disk. */
  unkept(): number;
  /**
   * Ends the calls in set-up and the answered calls that these trunks have begun, and tells each as ended by the filter.
   * Other messages are handled meanwhile. Resolves when the peers have answered, or some seconds later. Emergency calls
   * are not ended: they count as not releasable, as do calls of before a restart.
   */
  release(trunks: ReadonlySet<TrunkId>): Promise<ReleaseCount>;
  /** Closes everything. Answers that wait for evidence are not sent. Messages of this turn of the event loop still are. */
  stop(): Promise<void>;
}
