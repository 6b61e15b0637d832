// Parameters of the firms that telephone on leased lines, alone, together or on two trunks.
import type { OfficeParameters } from "../honest/office.ts";
import { about, within } from "./world.ts";

const second = 1000;
const minute = 60 * second;

/** People try again after a minute or two, most of them once. */
export const usualRedial = { share: 0.3, wait: about(70 * second, 1.1), most: 4 };
/** A missed call of a firm is returned by some, to its switchboard. */
const toDesk = { share: 0.1, wait: about(12 * minute, 1.2), manner: "desk" };

const one = within(1, 1);
const office = { kind: "office", redial: usualRedial, callBack: toDesk } as const;

/** `subjects` at full size. */
export const firms: Readonly<Record<string, OfficeParameters>> = {
  // Ordinary firms on a leased line: 20 to 200 numbers, some hundred calls a working day.
  enterprise: {
    ...office,
    subjects: 3200,
    signs: [],
    calls: about(300, 0.9),
    licence: "own-use",
    firms: one,
    numbers: within(10, 200),
    trunks: "one",
    hours: ["office", "office", "office", "early", "late", "shops"],
    manners: ["business", "business", "brief"],
  },
  // One house, one telephone system, many firms: the host has the contract, the firms their own numbers, hours and sets.
  "business-centre": {
    ...office,
    subjects: 200,
    signs: ["sub-lease"],
    calls: about(1100, 0.8),
    licence: "hosting",
    firms: within(6, 40),
    numbers: within(3, 30),
    trunks: "one",
    hours: ["office", "office", "early", "late", "shops"],
    manners: ["business", "brief"],
  },
  // Hosted telephone systems sold by a licensed reseller: larger firms, all over the country.
  reseller: {
    ...office,
    subjects: 70,
    signs: ["sub-lease"],
    calls: about(4500, 0.7),
    licence: "hosting",
    firms: within(10, 80),
    numbers: within(10, 100),
    trunks: "one",
    hours: ["office", "early", "late", "shops", "online"],
    manners: ["business", "brief", "agent"],
  },
  // A call centre that works for several firms, each with numbers, hours and an agent's set of its own.
  "call-centre-for-others": {
    ...office,
    subjects: 90,
    signs: ["sub-lease", "spread"],
    calls: about(3500, 0.7),
    licence: "call-centre",
    firms: within(3, 9),
    numbers: within(2, 12),
    trunks: "one",
    hours: ["calling", "office", "late"],
    manners: ["agent", "survey", "notice"],
  },
  // A firm with two SIP trunks that share the load: its main number calls on both at the same time.
  "two-trunks-sharing": {
    ...office,
    subjects: 220,
    signs: ["two-places"],
    calls: about(450, 0.8),
    licence: "own-use",
    firms: one,
    numbers: within(10, 100),
    trunks: "sharing",
    hours: ["office", "office", "early", "shops"],
    manners: ["business", "brief"],
  },
  // The same with a spare trunk: calls move when the first one is down, and back; calls under way go on.
  "two-trunks-failover": {
    ...office,
    subjects: 220,
    signs: ["two-places"],
    calls: about(400, 0.8),
    licence: "own-use",
    firms: one,
    numbers: within(10, 100),
    trunks: "failover",
    outage: within(0.1, 4),
    hours: ["office", "office", "early", "shops"],
    manners: ["business", "brief"],
  },
};
