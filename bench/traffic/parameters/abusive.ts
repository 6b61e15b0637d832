// Parameters of the abusive campaigns: how each pattern is run easily, hidden and distributed.
import type { DialParameters } from "../abusive/campaign.ts";
import type { SubLeaseParameters } from "../abusive/sub-lease.ts";
import type { TwoPlacesParameters } from "../abusive/two-places.ts";
import type { Detector, Difficulty } from "../call.ts";
import { about, within } from "./world.ts";

export type CampaignParameters = DialParameters | TwoPlacesParameters | SubLeaseParameters;

/**
 * Campaigns of each detector and each difficulty at full size: 108 of each detector, 756 in all. With the calls below they make
 * about 1 % of the traffic.
 */
export const campaignsEach = 36;

const minute = 60_000;
const one = within(1, 1);
const strangers = { at: "strangers" } as const;
const dial = { kind: "dial", camouflage: 0, callers: one, trunks: one, aim: strangers } as const;

export const campaigns: Readonly<Record<Detector, Readonly<Record<Difficulty, CampaignParameters>>>> = {
  // Rings once so that people call back a number that costs, or where a fraud waits (the notices: 响一声).
  "one-ring": {
    // A program that dials through the evening, by carriers abroad or a line of a firm founded for it.
    easy: {
      ...dial,
      calls: within(300, 800),
      startHour: within(8, 20),
      hours: within(0.3, 2),
      origins: ["abroad", "leased", "cards"],
      manner: "ringOnce",
      callBack: { share: 0.1, wait: about(8 * minute, 1.2), manner: "premium" },
    },
    // Slow, rings longer, every third call is one to people who talk.
    hidden: {
      ...dial,
      calls: within(110, 240),
      startHour: within(8, 11),
      hours: within(5, 10),
      origins: ["abroad", "guest", "leased", "cards"],
      manner: "ringLonger",
      camouflage: 0.3,
      callBack: { share: 0.08, wait: about(15 * minute, 1.2), manner: "premium" },
    },
    // Each number rings at a handful of people only.
    distributed: {
      ...dial,
      calls: within(220, 560),
      startHour: within(8, 16),
      hours: within(2, 7),
      callers: within(20, 80),
      trunks: within(2, 6),
      origins: ["abroad", "leased", "guest", "cards"],
      manner: "ringOnce",
      callBack: { share: 0.08, wait: about(10 * minute, 1.2), manner: "premium" },
    },
  },
  // Makes a telephone useless, to press for money or to hide a bank's warning (呼死你).
  "call-bombing": {
    // Software with one account: some calls a minute until it is stopped.
    easy: {
      ...dial,
      calls: within(150, 400),
      startHour: within(7, 22),
      hours: within(0.2, 1.5),
      callers: within(1, 3),
      origins: ["leased", "cards", "guest"],
      aim: { at: "one" },
      manner: "bomb",
    },
    // Every few minutes all day, with voices: each call alone could be a debt collector's.
    hidden: {
      ...dial,
      calls: within(60, 120),
      startHour: within(8, 11),
      hours: within(4, 10),
      callers: within(2, 8),
      trunks: within(1, 2),
      origins: ["leased", "cards", "guest"],
      aim: { at: "one" },
      manner: "bombVoice",
      camouflage: 0.15,
    },
    // A platform that buys calls of many numbers: each of them calls once or twice.
    distributed: {
      ...dial,
      calls: within(100, 240),
      startHour: within(8, 20),
      hours: within(0.5, 3),
      callers: within(60, 200),
      trunks: within(3, 10),
      origins: ["cards", "leased", "guest"],
      aim: { at: "one" },
      manner: "bombVoice",
    },
  },
  // Dials a block whether the numbers live or not (按号段盲呼).
  "block-dialling": {
    easy: {
      ...dial,
      calls: within(250, 700),
      startHour: within(8, 18),
      hours: within(0.5, 3),
      origins: ["leased", "guest", "cards"],
      aim: { at: "block", size: within(700, 2000), leftOut: 0, shuffled: false },
      manner: "pitch",
    },
    // Shuffled, with gaps, at the pace of a person, among calls to known parties.
    hidden: {
      ...dial,
      calls: within(110, 240),
      startHour: within(8, 11),
      hours: within(5, 9),
      origins: ["leased", "guest", "cards"],
      aim: { at: "block", size: within(300, 1000), leftOut: 0.3, shuffled: true },
      manner: "pitch",
      camouflage: 0.25,
    },
    // Many numbers share one block.
    distributed: {
      ...dial,
      calls: within(220, 560),
      startHour: within(8, 13),
      hours: within(2, 7),
      callers: within(8, 30),
      trunks: within(2, 4),
      origins: ["leased", "guest", "cards"],
      aim: { at: "block", size: within(500, 1500), leftOut: 0.1, shuffled: true },
      manner: "pitch",
    },
  },
  // Finds out which numbers live, or who is at home, with calls that drop at the answer.
  "short-calls": {
    easy: {
      ...dial,
      calls: within(250, 700),
      startHour: within(7, 20),
      hours: within(0.2, 2),
      origins: ["leased", "cards", "abroad", "guest"],
      manner: "probe",
    },
    hidden: {
      ...dial,
      calls: within(110, 240),
      startHour: within(8, 11),
      hours: within(3, 8),
      origins: ["leased", "guest", "cards"],
      manner: "probe",
      camouflage: 0.3,
    },
    distributed: {
      ...dial,
      calls: within(220, 560),
      startHour: within(8, 16),
      hours: within(1, 5),
      callers: within(15, 60),
      trunks: within(2, 6),
      origins: ["leased", "cards", "guest"],
      manner: "probe",
    },
  },
  // Cold calls to as many as possible, without consent.
  spread: {
    easy: {
      ...dial,
      calls: within(300, 800),
      startHour: within(8, 16),
      hours: within(1, 4),
      origins: ["leased", "cards", "guest"],
      manner: "pitch",
    },
    // One person who dials by hand, and calls some again.
    hidden: {
      ...dial,
      calls: within(120, 260),
      startHour: within(8, 10),
      hours: within(6, 10),
      origins: ["leased", "guest", "cards"],
      manner: "pitch",
      camouflage: 0.25,
    },
    // Numbers take turns so that none is marked.
    distributed: {
      ...dial,
      calls: within(260, 640),
      startHour: within(8, 13),
      hours: within(3, 8),
      callers: within(15, 60),
      trunks: within(1, 5),
      origins: ["leased", "guest", "cards"],
      manner: "pitch",
    },
  },
  // Forged numbers: the owner calls at the same time elsewhere, or the forgers use a number in several places.
  "two-places": {
    easy: {
      kind: "two-places",
      calls: within(70, 180),
      startHour: within(8, 15),
      hours: within(0.5, 2),
      numbers: one,
      places: within(2, 3),
      origins: ["leased", "guest", "abroad"],
      forged: 0.5,
      manner: "pitch",
    },
    hidden: {
      kind: "two-places",
      calls: within(40, 90),
      startHour: within(8.5, 10),
      hours: within(5, 8),
      numbers: one,
      places: within(2, 2.4),
      origins: ["guest", "leased", "abroad"],
      forged: 0.5,
      manner: "business",
    },
    distributed: {
      kind: "two-places",
      calls: within(100, 220),
      startHour: within(8, 14),
      hours: within(1, 4),
      numbers: within(3, 8),
      places: within(3, 6),
      origins: ["leased", "guest", "abroad"],
      forged: 0.3,
      manner: "pitch",
    },
  },
  // A firm lets strangers call on its line (转租): they have numbers, hours and sets of their own.
  "sub-lease": {
    easy: {
      kind: "sub-lease",
      calls: within(180, 380),
      startHour: within(0.1, 0.2),
      hours: within(23, 23.8),
      businesses: within(5, 10),
      numbers: within(3, 20),
      lines: one,
      ownAgent: 1,
      profiles: ["office", "early", "late", "taxi", "online"],
      manners: ["brief", "pitch", "agent", "business"],
    },
    // Two or three, behind the firm's own exchange, at its own hours nearly.
    hidden: {
      kind: "sub-lease",
      calls: within(100, 220),
      startHour: within(6, 7),
      hours: within(15, 16),
      businesses: within(2, 3),
      numbers: within(3, 12),
      lines: one,
      ownAgent: 0.3,
      profiles: ["office", "late", "shops"],
      manners: ["business", "brief", "agent"],
    },
    // Businesses spread over lines of several firms.
    distributed: {
      kind: "sub-lease",
      calls: within(180, 380),
      startHour: within(0.1, 0.2),
      hours: within(23, 23.8),
      businesses: within(6, 12),
      numbers: within(2, 10),
      lines: within(2, 4),
      ownAgent: 0.7,
      profiles: ["office", "early", "late", "online"],
      manners: ["pitch", "agent", "brief"],
    },
  },
};
