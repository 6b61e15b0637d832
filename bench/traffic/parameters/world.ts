// Parameters of the virtual country: its size, its hours, its trunks, and how people take calls.
import type { LineParameters } from "../lines.ts";
import type { Manner } from "../manner.ts";
import type { NumberParameters } from "../numbers.ts";
import type { Bounds, Spread } from "../random.ts";

export function about(median: number, sigma: number): Spread {
  return { median, sigma };
}

export function within(least: number, most: number): Bounds {
  return { least, most };
}

/** Calls of a day at full size: 800 a second in the busy hour are some 25 to 30 million a day. */
export const callsPerDay = 20_000_000;

/**
 * Redials and calls back of all honest subjects, as a share of the calls that they plan. The crowd is made smaller by it, so
 * that the day has its size. Measured with the generator; it changes no behaviour.
 */
export const followUps = 0.13;

export const numbers: NumberParameters = {
  // A day of 20 million calls is that of a province with some million subscribers (3 to 5 calls a subscriber and day).
  mobileBlocks: 400,
  fixedBlocks: 120,
  // Blocks are opened one after the other; old ones are fuller. ITU-T E.164 plans run at 40 to 90 % use.
  inService: [0.4, 0.9],
  // The busiest private persons make some 60 calls a day, half of all people one or two.
  popularity: { s: 0.7, flat: 0.01 },
};

export const lines: LineParameters = {
  // Three or four networks hand over at a dozen places each; abroad comes by a few carriers.
  nationalTrunks: 48,
  internationalTrunks: 12,
  // Interconnection shares load: some calls of a person take another trunk when the first one is full.
  overflow: 0.04,
  // User agents and codec sets of telephone systems in use; a few makes have most of the market.
  agents: 60,
  codecSets: 16,
};

/** Weights of the hours 0 to 23. */
export const profiles: Readonly<Record<string, readonly number[]>> = {
  // Two humps and an evening one, as every operator's busy-hour curve has them (ITU-T E.500).
  private: [8, 4, 2, 2, 2, 4, 12, 30, 60, 85, 95, 92, 70, 68, 75, 80, 85, 95, 100, 98, 90, 65, 35, 16],
  // Office hours with a lunch dip.
  office: [0.5, 0.2, 0.2, 0.2, 0.2, 0.5, 2, 10, 60, 100, 98, 80, 35, 60, 92, 95, 88, 50, 15, 6, 3, 2, 1, 0.5],
  // Two shifts: a trade that opens early and one that opens late.
  early: [0.5, 0.2, 0.2, 0.5, 5, 25, 70, 100, 95, 80, 60, 45, 30, 25, 20, 15, 8, 4, 2, 1, 0.5, 0.5, 0.5, 0.5],
  late: [15, 8, 3, 1, 0.5, 0.5, 0.5, 0.5, 1, 3, 8, 20, 35, 35, 30, 35, 50, 80, 100, 98, 90, 75, 50, 30],
  // Contracts of call centres keep clear of rest hours (12 to 14, after 20).
  calling: [
    0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 1, 20, 95, 100, 90, 15, 25, 90, 95, 92, 80, 60, 35, 4, 0.5, 0.1, 0.1,
  ],
  // Deliveries: a morning round, a smaller afternoon one.
  delivery: [
    0.2, 0.1, 0.1, 0.1, 0.1, 0.3, 2, 15, 60, 95, 100, 90, 60, 55, 70, 80, 85, 75, 50, 25, 10, 3, 1, 0.5,
  ],
  // Taxis work round the clock, more in the evening.
  taxi: [40, 25, 15, 10, 12, 25, 50, 80, 85, 60, 50, 55, 60, 55, 55, 60, 75, 95, 90, 80, 80, 85, 75, 60],
  // Shops that take cards.
  shops: [3, 1, 0.5, 0.5, 0.5, 1, 5, 15, 35, 60, 80, 95, 100, 80, 65, 65, 75, 95, 100, 90, 75, 50, 25, 10],
  // Log-ins follow the use of the network.
  online: [35, 18, 10, 8, 7, 10, 20, 45, 70, 85, 90, 92, 95, 85, 85, 85, 85, 88, 92, 98, 100, 95, 80, 55],
  even: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
};

const second = 1000;

/**
 * How calls go. Pick-up 6 to 10 s and talk of about a minute (long tail, log-normal) are what measurements of telephone traffic
 * report since Bolotin 1994; the others are set from the situation.
 */
export const manners: Readonly<Record<string, Manner>> = {
  // People who know each other: most are answered, the caller waits half a minute.
  acquaintance: {
    answer: 0.76,
    busy: 0.05,
    away: 0.06,
    pickUp: about(9 * second, 0.6),
    patience: about(32 * second, 0.4),
    talk: about(52 * second, 1.15),
    callerEnds: 0.55,
  },
  // Once she answers, the worried caller talks; before, he lets it ring.
  insistent: {
    answer: 0.06,
    busy: 0.1,
    away: 0.08,
    pickUp: about(14 * second, 0.5),
    patience: about(30 * second, 0.6),
    talk: about(150 * second, 0.8),
    callerEnds: 0.5,
  },
  // One ring as a sign ("I'm at home"): nobody is meant to answer.
  signal: {
    answer: 0.7,
    busy: 0.03,
    away: 0.05,
    pickUp: about(9 * second, 0.5),
    patience: about(3.2 * second, 0.4),
    talk: about(12 * second, 0.8),
    callerEnds: 0.6,
  },
  // "I stand before your door": rings for a moment; some answer.
  taxi: {
    answer: 0.75,
    busy: 0.04,
    away: 0.04,
    pickUp: about(8 * second, 0.55),
    patience: about(5.5 * second, 0.45),
    talk: about(11 * second, 0.5),
    callerEnds: 0.7,
  },
  courier: {
    answer: 0.7,
    busy: 0.05,
    away: 0.05,
    pickUp: about(9 * second, 0.55),
    patience: about(11 * second, 0.55),
    talk: about(16 * second, 0.55),
    callerEnds: 0.65,
  },
  // A person calls a firm: somebody sits at the telephone.
  desk: {
    answer: 0.9,
    busy: 0.06,
    away: 0.01,
    pickUp: about(6 * second, 0.6),
    patience: about(35 * second, 0.4),
    talk: about(75 * second, 1),
    callerEnds: 0.7,
  },
  // A voice menu answers at once; callers wait in its queue.
  hotLine: {
    answer: 0.985,
    busy: 0.01,
    away: 0,
    pickUp: about(1.5 * second, 0.4),
    patience: about(45 * second, 0.3),
    talk: about(140 * second, 1),
    callerEnds: 0.85,
  },
  // A few lines for thousands of callers: nearly all meet a busy line.
  jammed: {
    answer: 0.95,
    busy: 0.86,
    away: 0,
    pickUp: about(4 * second, 0.5),
    patience: about(40 * second, 0.3),
    talk: about(60 * second, 0.8),
    callerEnds: 0.5,
  },
  // A recorded notice of a firm that the called party knows.
  notice: {
    answer: 0.62,
    busy: 0.04,
    away: 0.07,
    pickUp: about(9 * second, 0.55),
    patience: about(35 * second, 0.15),
    talk: about(24 * second, 0.5),
    callerEnds: 0.6,
  },
  // A code or a box number, read out twice.
  code: {
    answer: 0.8,
    busy: 0.03,
    away: 0.04,
    pickUp: about(7 * second, 0.5),
    patience: about(30 * second, 0.15),
    talk: about(13 * second, 0.3),
    callerEnds: 0.5,
  },
  // An agent of a call centre, to people who agreed to be called.
  agent: {
    answer: 0.48,
    busy: 0.04,
    away: 0.08,
    pickUp: about(10 * second, 0.55),
    patience: about(30 * second, 0.25),
    talk: about(70 * second, 1),
    callerEnds: 0.5,
  },
  survey: {
    answer: 0.4,
    busy: 0.04,
    away: 0.08,
    pickUp: about(10 * second, 0.55),
    patience: about(28 * second, 0.25),
    talk: about(110 * second, 1.1),
    callerEnds: 0.55,
  },
  // Firms among each other and to clients.
  business: {
    answer: 0.74,
    busy: 0.06,
    away: 0.04,
    pickUp: about(8 * second, 0.6),
    patience: about(28 * second, 0.4),
    talk: about(80 * second, 1.05),
    callerEnds: 0.6,
  },
  // Restaurants, clinics, workshops: short questions.
  brief: {
    answer: 0.7,
    busy: 0.06,
    away: 0.05,
    pickUp: about(9 * second, 0.6),
    patience: about(24 * second, 0.45),
    talk: about(35 * second, 0.8),
    callerEnds: 0.6,
  },
  // A modem or a panel: answered after the second ring, the same length nearly always.
  machine: {
    answer: 0.985,
    busy: 0.01,
    away: 0,
    pickUp: about(2.5 * second, 0.25),
    patience: about(40 * second, 0.1),
    talk: about(13 * second, 0.3),
    callerEnds: 0.92,
  },
  fax: {
    answer: 0.8,
    busy: 0.14,
    away: 0.02,
    pickUp: about(5 * second, 0.3),
    patience: about(35 * second, 0.1),
    talk: about(45 * second, 0.6),
    callerEnds: 0.9,
  },
  meeting: {
    answer: 0.995,
    busy: 0,
    away: 0,
    pickUp: about(1.2 * second, 0.3),
    patience: about(40 * second, 0.2),
    talk: about(1500 * second, 0.6),
    callerEnds: 0.9,
  },
  emergency: {
    answer: 0.99,
    busy: 0,
    away: 0,
    pickUp: about(4 * second, 0.4),
    patience: about(60 * second, 0.3),
    talk: about(75 * second, 0.7),
    callerEnds: 0.6,
  },
  // A technician who tests a ported number: rings, hears that it rings at the right place, hangs up or says why.
  testing: {
    answer: 0.5,
    busy: 0.03,
    away: 0.06,
    pickUp: about(9 * second, 0.5),
    patience: about(12 * second, 0.5),
    talk: about(14 * second, 0.7),
    callerEnds: 0.7,
  },

  // Abusive: one ring, gone before anybody answers.
  ringOnce: {
    answer: 0.7,
    busy: 0.03,
    away: 0.06,
    pickUp: about(9 * second, 0.5),
    patience: about(2.2 * second, 0.35),
    talk: about(2 * second, 0.5),
    callerEnds: 0.95,
  },
  // One ring that is made to look like a call that was given up.
  ringLonger: {
    answer: 0.6,
    busy: 0.03,
    away: 0.06,
    pickUp: about(9 * second, 0.5),
    patience: about(5 * second, 0.4),
    talk: about(4 * second, 0.6),
    callerEnds: 0.85,
  },
  // Bombing software hangs up when it is answered and dials again.
  bomb: {
    answer: 0.45,
    busy: 0.2,
    away: 0.03,
    pickUp: about(7 * second, 0.6),
    patience: about(14 * second, 0.6),
    talk: about(3 * second, 0.6),
    callerEnds: 0.7,
  },
  // Bombing with recorded voices.
  bombVoice: {
    answer: 0.4,
    busy: 0.15,
    away: 0.03,
    pickUp: about(8 * second, 0.6),
    patience: about(24 * second, 0.5),
    talk: about(9 * second, 0.8),
    callerEnds: 0.35,
  },
  // Finds out which numbers live: rings briefly, drops at the answer.
  probe: {
    answer: 0.5,
    busy: 0.04,
    away: 0.07,
    pickUp: about(9 * second, 0.5),
    patience: about(7 * second, 0.5),
    talk: about(2 * second, 0.6),
    callerEnds: 0.95,
  },
  // Cold calls: few answer, most of those hang up at the first sentence.
  pitch: {
    answer: 0.36,
    busy: 0.04,
    away: 0.08,
    pickUp: about(10 * second, 0.55),
    patience: about(25 * second, 0.3),
    talk: about(14 * second, 1.1),
    callerEnds: 0.25,
  },
  // The number that one-ring victims call back: a tape at a high price.
  premium: {
    answer: 1,
    busy: 0,
    away: 0,
    pickUp: about(1 * second, 0.3),
    patience: about(30 * second, 0.2),
    talk: about(80 * second, 0.9),
    callerEnds: 0.98,
  },
};
