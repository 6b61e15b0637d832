// Two telephone exchanges that speak ISUP over links that may fail, at virtual time (Q.764): they share no code with the filter.
import { Buffer } from "node:buffer";

/** Octets of a DATA message in front of the ISUP type: header, parameter, label, circuit (RFC 4666 section 3.3.1). */
const TYPE_AT = 26;
const PROTOCOL_DATA = 0x0210;
const IAM = 0x01;
const ACM = 0x06;
const ANM = 0x09;
const REL = 0x0c;
const RLC = 0x10;

const T1 = 15_000;
const T7 = 25_000;
const T9 = 120_000;

/** The cause that only the filter uses here. */
export const REFUSED = 21;

export interface ModelCall {
  readonly id: number;
  readonly isListed: boolean;
  readonly caller: Exchange;
  circuit: number;
  attempts: number;
  /** What became of it. `given-up`: its last attempt failed. */
  state: "waiting" | "trying" | "up" | "over" | "refused" | "given-up";
}

interface ModelCircuit {
  state: "idle" | "calling" | "called" | "releasing";
  call: ModelCall | undefined;
  /** A backward message of the call was sent or received. */
  isHeard: boolean;
  /** Tells timers of former states from those of this one. */
  turn: number;
}

export interface Exchange {
  readonly code: number;
  readonly circuits: readonly ModelCircuit[];
  /** Begins a call on the first idle circuit from one end. @returns false where all are busy */
  place(call: ModelCall): boolean;
  receive(bytes: Buffer): void;
  hangUp(circuit: number): void;
}

/** What the world does for an exchange. It may be one of virtual time, or a real one. */
export interface World {
  readonly send: (from: Exchange, bytes: Buffer) => void;
  readonly after: (millis: number, step: () => void) => void;
  readonly calls: ModelCall[];
  /** Something that must never happen. */
  readonly wrong: (what: string) => void;
  /** The attempt of a call has failed, and why; it may be tried again. */
  readonly failed: (call: ModelCall, circuit: number, why: string) => void;
}

function message(opc: number, dpc: number, cic: number, isup: readonly number[]): Buffer {
  const length = TYPE_AT + isup.length;
  const bytes = Buffer.alloc(length + ((4 - (length & 3)) & 3));
  bytes.writeUInt32BE(0x0100_0101, 0);
  bytes.writeUInt32BE(bytes.length, 4);
  bytes.writeUInt16BE(0x0210, 8);
  bytes.writeUInt16BE(length - 8, 10);
  bytes.writeUInt32BE(opc, 12);
  bytes.writeUInt32BE(dpc, 16);
  bytes.set([5, 2, 0, cic & 15, cic & 255, cic >> 8, ...isup], 20);
  return bytes;
}

function digitsOf(text: string): number[] {
  const padded = text.length % 2 === 0 ? text : `${text}0`;
  return [...Buffer.from(padded.replaceAll(/(.)(.)/g, "$2$1"), "hex")];
}

/** An IAM: the call's number stands in the called number, 138 and eight digits. */
function iamOf({ id, isListed }: ModelCall): number[] {
  const called = [0x83, 0x10, ...digitsOf(`138${String(id).padStart(8, "0")}`)];
  const calling = [0x03, 0x13, ...digitsOf(isListed ? "1087654321" : "1087654444")];
  return [
    IAM,
    0,
    0x60,
    0,
    10,
    3,
    2,
    called.length + 2,
    called.length,
    ...called,
    0x0a,
    calling.length,
    ...calling,
    0,
  ];
}

export interface Told {
  readonly type: number;
  readonly opc: number;
  readonly circuit: number;
  /** The call of an IAM; -1 for other messages. */
  readonly id: number;
  readonly cause: number;
}

/** Reads a DATA message; a transfer point may have put other parameters in front of the protocol data. */
export function readMessage(whole: Buffer): Told {
  let at = 8;
  while (whole.readUInt16BE(at) !== PROTOCOL_DATA) at += whole.readUInt16BE(at + 2);
  const bytes = whole.subarray(at - 8);
  const type = bytes[TYPE_AT]!;
  let id = -1;
  if (type === IAM) {
    const digits = bytes.toString("hex", TYPE_AT + 11, TYPE_AT + 17).replaceAll(/(.)(.)/g, "$2$1");
    id = Number(digits.slice(3, 11));
  }
  return {
    type,
    opc: bytes.readUInt32BE(12),
    circuit: bytes.readUInt16LE(24),
    id,
    cause: type === REL ? bytes[TYPE_AT + 5]! & 0x7f : -1,
  };
}

export const names: Readonly<Record<number, string>> = {
  [IAM]: "IAM",
  [ACM]: "ACM",
  [ANM]: "ANM",
  [REL]: "REL",
  [RLC]: "RLC",
};

/**
 * @param code its point code; the exchange with the higher one controls the even circuits (Q.764 section 2.9.1.4)
 */
export function createExchange(code: number, other: number, count: number, world: World): Exchange {
  const circuits = Array.from({ length: count }, (): ModelCircuit => ({
    state: "idle",
    call: undefined,
    isHeard: false,
    turn: 0,
  }));
  const controls = (cic: number): boolean => (cic % 2 === 0) === code > other;

  const send = (cic: number, ...isup: number[]): void => world.send(self, message(code, other, cic, isup));

  function enter(cic: number, state: ModelCircuit["state"], call?: ModelCall): number {
    const circuit = circuits[cic]!;
    circuit.state = state;
    circuit.call = call;
    circuit.isHeard = false;
    return ++circuit.turn;
  }

  /** Takes a step later, unless the circuit has gone on meanwhile. */
  function later(cic: number, millis: number, step: () => void): void {
    const { turn } = circuits[cic]!;
    world.after(millis, () => {
      if (circuits[cic]!.turn === turn) step();
    });
  }

  function fail(cic: number, why: string): void {
    const { call, state } = circuits[cic]!;
    if (call !== undefined && state === "calling") world.failed(call, cic, why);
  }

  function release(cic: number, cause: number): void {
    enter(cic, "releasing");
    const repeat = (): void => {
      send(cic, REL, 2, 0, 2, 0x83, 0x80 | cause);
      later(cic, T1, repeat);
    };
    repeat();
  }

  function take(cic: number, call: ModelCall): void {
    enter(cic, "called", call);
    later(cic, 50, () => {
      circuits[cic]!.isHeard = true;
      send(cic, ACM, 0x16, 0x34, 0);
      later(cic, 400, () => send(cic, ANM, 0));
    });
  }

  function onIam(cic: number, id: number): void {
    const circuit = circuits[cic]!;
    const call = world.calls[id]!;
    if (circuit.state === "calling" && !circuit.isHeard) {
      if (controls(cic)) return;
      world.failed(circuit.call!, cic, "dual seizure");
      take(cic, call);
    } else if (circuit.state === "idle") take(cic, call);
    else if (circuit.state !== "releasing" && circuit.call !== call) {
      fail(cic, "lost: the other exchange seizes the circuit");
      take(cic, call);
    }
  }

  function onRel(cic: number, cause: number): void {
    const { state, call } = circuits[cic]!;
    send(cic, RLC, 0);
    if (state === "releasing" || state === "idle" || call === undefined) return;
    if (cause === REFUSED && call.isListed && call.caller.code === other)
      world.wrong(`REL of the filter into call ${call.id} on circuit ${cic}`);
    if (state === "calling") {
      if (cause === REFUSED && !call.isListed) call.state = "refused";
      else if (call.state === "up" || call.state === "over") call.state = "over";
      else fail(cic, cause === REFUSED ? "REL of the filter" : "REL");
    }
    enter(cic, "idle");
  }

  function hangUp(cic: number): void {
    const { call, state } = circuits[cic]!;
    if (call?.state !== "up" || call.circuit !== cic || (state !== "calling" && state !== "called")) return;
    call.state = "over";
    release(cic, 16);
  }

  const self: Exchange = {
    code,
    circuits,
    place(call) {
      const order = code < other ? 1 : -1;
      for (let step = 0; step < count; step++) {
        const cic = order === 1 ? step : count - 1 - step;
        if (circuits[cic]!.state !== "idle") continue;
        call.circuit = cic;
        call.state = "trying";
        call.attempts++;
        enter(cic, "calling", call);
        send(cic, ...iamOf(call));
        later(cic, T7, () => {
          if (circuits[cic]!.isHeard) return;
          fail(cic, "T7");
          release(cic, 102);
        });
        later(cic, T9, () => {
          if (call.state === "up") return;
          fail(cic, "T9");
          release(cic, 19);
        });
        return true;
      }
      return false;
    },
    receive(bytes) {
      const { type, circuit: cic, id, cause } = readMessage(bytes);
      const circuit = circuits[cic]!;
      if (type === IAM) onIam(cic, id);
      else if (type === REL) onRel(cic, cause);
      else if (type === RLC) {
        if (circuit.state === "releasing") enter(cic, "idle");
      } else if (circuit.state === "calling") {
        circuit.isHeard = true;
        if (type === ANM) circuit.call!.state = "up";
      }
    },
    hangUp,
  };
  return self;
}
