import type { Decision } from "../domain/verdict.ts";
import type { Policy } from "../config/policy.ts";
import type { Counters } from "../observe/counters.ts";
import type { ScreeningState } from "../screening/state.ts";

/** What an engine can't do is declared, so that `check` and the decision log can say it. */
export interface Capabilities {
  /** Refuse by silence (`drop`). */
  readonly silence: boolean;
  /** Forward bodies and untouched fields byte for byte. */
  readonly exactBytes: boolean;
}

/** One entry of `listen`, read. */
export interface ListenAddress {
  /** As policies name it in `match.listener`: "udp:127.0.0.1:5060". */
  readonly id: string;
  /** Literal address without brackets. */
  readonly address: string;
  readonly port: number;
}

/** What every engine is given: it feeds calls to the same rules and obeys them. */
export interface EngineParts {
  /** What `listen` of sigwall.yaml names; port 0 binds any free port. */
  readonly listen: readonly ListenAddress[];
  /** The policy in force; asked for anew with every message. */
  readonly policy: () => Policy;
  readonly state: ScreeningState;
  readonly counters: Counters;
  /** Secret of the keyed tags, at least 16 bytes, the same on every node. */
  readonly key: Uint8Array;
  /** Every decision about a call attempt, repeats left out. Must return at once. */
  readonly decided: (decision: Decision) => void;
  /** An error of our own or of the operating system; the engine goes on. */
  readonly fault: (error: unknown) => void;
}

/** The way calls come in: the only place with sockets, clock and timers. */
export interface Engine {
  readonly name: "embedded";
  readonly capabilities: Capabilities;
  /** Binds; resolves with what is bound ("udp:127.0.0.1:5060"), rejects when it can't. */
  start(): Promise<readonly string[]>;
  /** True while calls are taken. */
  isReady(): boolean;
  /** Closes everything; what is under way in this turn of the loop is still sent. */
  stop(): Promise<void>;
}
