// Parameters of the honest populations: who they are, how many, how much they call, and why.
import type { CrowdParameters } from "../honest/crowd.ts";
import type { MachineParameters } from "../honest/machine.ts";
import type { MagnetParameters } from "../honest/magnet.ts";
import type { OfficeParameters } from "../honest/office.ts";
import type { PersonParameters } from "../honest/person.ts";
import type { SenderParameters } from "../honest/sender.ts";
import { firms, usualRedial } from "./firms.ts";
import { about, within } from "./world.ts";

export type PopulationParameters =
  | SenderParameters
  | MagnetParameters
  | MachineParameters
  | OfficeParameters
  | PersonParameters;

const second = 1000;
const minute = 60 * second;

const one = within(1, 1);
const clients = { order: "clients" } as const;

/** All who have no other role make the rest of the day's calls. */
export const crowd: CrowdParameters = {
  hours: "private",
  // Studies of call graphs find that a handful of parties has most of a person's calls (Onnela 2007).
  contacts: 25,
  contactRank: 0.9,
  toAnyone: 0.12,
  toFirms: 0.13,
  fromAbroad: 0.006,
  manner: "acquaintance",
  firmManner: "desk",
  redial: usualRedial,
  callBack: { share: 0.3, wait: about(9 * minute, 1.4), manner: "acquaintance" },
};

/** Shared by all senders that have nothing special. */
const sender = {
  kind: "sender",
  caller: "leased",
  callers: one,
  trunks: 1,
  contracts: 1,
  licence: "own-use",
  walk: clients,
} as const;
const magnet = { kind: "magnet", manner: "desk", redial: usualRedial } as const;
const person = { kind: "person", hours: "private" } as const;

/** `subjects` at full size. The order is that of creation: firms come first, others call them. */
export const populations: Readonly<Record<string, PopulationParameters>> = {
  ...firms,
  // One platform number, shown by two call centres under contract.
  "shared-number": {
    ...sender,
    subjects: 70,
    signs: ["two-places", "spread"],
    calls: about(1500, 0.6),
    when: { hours: "calling" },
    caller: "platform",
    contracts: 2,
    licence: "call-centre",
    manner: "agent",
    callBack: { share: 0.08, wait: about(20 * minute, 1.2), manner: "hotLine" },
  },
  // Exchanges that forward to mobiles with the caller's number: it is on two trunks within a second.
  "call-forwarding": {
    ...person,
    subjects: 250,
    signs: ["two-places"],
    calls: about(60, 0.8),
    hours: "office",
    habit: { is: "forwards", share: 0.6, delay: about(900, 0.5), staff: 6 },
    manner: "desk",
  },
  // Roamers come home; some calls still arrive by the carrier abroad (home routing, late location updates).
  traveller: {
    ...person,
    subjects: 500,
    signs: ["two-places"],
    calls: about(9, 0.6),
    habit: { is: "travels", home: within(6, 22), late: 0.1 },
    manner: "acquaintance",
  },
  // A bank's or insurer's hot line: calls of thousands, peaks in office hours.
  "bank-hot-line": {
    ...magnet,
    subjects: 80,
    signs: ["call-bombing"],
    calls: about(9000, 0.8),
    when: { hours: "online" },
    called: "platform",
    manner: "hotLine",
  },
  // Outgoing notices of banks: payments, due dates, by a voice robot, all day.
  "bank-notice": {
    ...sender,
    subjects: 80,
    signs: ["spread", "two-places"],
    calls: about(5000, 0.7),
    when: { hours: "calling" },
    caller: "platform",
    // More channels than one trunk has: the number calls on both.
    trunks: 2,
    licence: "call-centre",
    manner: "notice",
    callBack: { share: 0.07, wait: about(15 * minute, 1.2), manner: "hotLine" },
  },
  // Appointments of tomorrow: the program sorts by number, one call after the other.
  "hospital-reminder": {
    ...sender,
    subjects: 170,
    signs: ["block-dialling", "spread"],
    calls: about(320, 0.6),
    when: { startHour: within(9, 15), gap: about(26 * second, 0.6) },
    walk: { order: "rising", across: 60_000 },
    manner: "notice",
    redial: { share: 0.5, wait: about(50 * minute, 0.3), most: 1 },
    callBack: { share: 0.15, wait: about(10 * minute, 1), manner: "desk" },
  },
  // Parents of one class, whose contracts were sold by one shop with near numbers.
  "school-broadcast": {
    ...sender,
    subjects: 220,
    signs: ["block-dialling"],
    calls: about(55, 0.4),
    when: { startHour: within(7, 18), gap: about(8 * second, 0.8) },
    walk: { order: "near", within: 900 },
    manner: "notice",
    redial: { share: 0.6, wait: about(10 * minute, 0.3), most: 2 },
    callBack: { share: 0.25, wait: about(7 * minute, 1), manner: "desk" },
  },
  // Taxi drivers and hailing services ring for a moment: "I'm here".
  taxi: {
    ...sender,
    subjects: 320,
    signs: ["one-ring"],
    calls: about(45, 0.5),
    when: { hours: "taxi" },
    caller: "mobile",
    manner: "taxi",
    callBack: { share: 0.3, wait: about(50 * second, 0.8), manner: "acquaintance" },
  },
  // Couriers: a call a parcel, short, half of them not answered.
  courier: {
    ...sender,
    subjects: 700,
    signs: ["one-ring", "spread", "short-calls"],
    calls: about(110, 0.4),
    when: { hours: "delivery" },
    caller: "mobile",
    manner: "courier",
    redial: { share: 0.25, wait: about(90 * second, 0.9), most: 2 },
    callBack: { share: 0.35, wait: about(6 * minute, 1.2), manner: "acquaintance" },
  },
  // Relatives ring once as a sign.
  "ring-as-sign": {
    ...person,
    subjects: 500,
    signs: ["one-ring"],
    calls: about(5, 0.5),
    habit: { is: "signals", relatives: 4 },
    manner: "signal",
  },
  // Parcel boxes tell the code by voice.
  "delivery-locker": {
    ...sender,
    subjects: 320,
    signs: ["short-calls", "spread"],
    calls: about(220, 0.6),
    when: { hours: "delivery" },
    manner: "code",
    redial: { share: 0.4, wait: about(20 * minute, 0.4), most: 1 },
  },
  // Log-in codes by voice, around the clock.
  "voice-code": {
    ...sender,
    subjects: 60,
    signs: ["short-calls", "spread"],
    calls: about(3000, 0.8),
    when: { hours: "online" },
    caller: "platform",
    licence: "call-centre",
    manner: "code",
  },
  // Call centres with consent: some numbers each, people call back.
  "call-centre": {
    ...sender,
    subjects: 260,
    signs: ["spread"],
    calls: about(2200, 0.7),
    when: { hours: "calling" },
    callers: within(1, 8),
    licence: "call-centre",
    manner: "agent",
    redial: { share: 0.25, wait: about(90 * minute, 0.6), most: 2 },
    callBack: { share: 0.12, wait: about(25 * minute, 1.2), manner: "hotLine" },
  },
  // Surveys of people who agreed.
  survey: {
    ...sender,
    subjects: 90,
    signs: ["spread"],
    calls: about(600, 0.6),
    when: { hours: "late" },
    licence: "call-centre",
    manner: "survey",
    redial: { share: 0.4, wait: about(100 * minute, 0.5), most: 2 },
    callBack: { share: 0.06, wait: about(30 * minute, 1.2), manner: "desk" },
  },
  // Weather, water, vaccination, by district: fixed numbers of a district stand near each other.
  "government-notice": {
    ...sender,
    subjects: 130,
    signs: ["block-dialling", "spread"],
    calls: about(1000, 0.7),
    when: { startHour: within(8, 16), gap: about(6 * second, 0.7) },
    walk: { order: "near", within: 8000 },
    callers: within(1, 3),
    manner: "notice",
    callBack: { share: 0.08, wait: about(12 * minute, 1.1), manner: "desk" },
  },
  // Hotels wake their guests: rooms in order, a block of numbers of their own.
  "wake-up-call": {
    ...sender,
    subjects: 150,
    signs: ["block-dialling"],
    calls: about(60, 0.5),
    when: { startHour: within(5.5, 7), gap: about(15 * second, 0.7) },
    walk: { order: "rooms" },
    manner: "code",
  },
  // Teams that test blocks after porting: number for number, those that the register names.
  "number-porting": {
    ...sender,
    subjects: 90,
    signs: ["block-dialling"],
    calls: about(220, 0.6),
    when: { startHour: within(8.5, 14), gap: about(50 * second, 0.6) },
    walk: { order: "block", leftOut: 0.3, registered: true },
    callers: within(1, 3),
    manner: "testing",
  },
  // Radio phone-ins: two lines on the air, a thousand callers who redial.
  "radio-phone-in": {
    ...magnet,
    subjects: 70,
    signs: ["call-bombing"],
    calls: about(600, 0.8),
    when: { startHour: within(7, 21), minutes: within(20, 150) },
    called: "leased",
    manner: "jammed",
    redial: { share: 0.7, wait: about(20 * second, 0.8), most: 25 },
  },
  // Ticket sales: everybody at once, again and again.
  "ticket-rush": {
    ...magnet,
    subjects: 50,
    signs: ["call-bombing"],
    calls: about(2000, 0.8),
    when: { startHour: within(9, 20), minutes: within(10, 60) },
    called: "leased",
    manner: "jammed",
    redial: { share: 0.85, wait: about(8 * second, 0.7), most: 40 },
  },
  // Clinics, restaurants, offices of authorities: one number, a few hundred callers.
  "service-desk": {
    ...magnet,
    subjects: 450,
    signs: ["call-bombing"],
    calls: about(220, 0.8),
    when: { hours: "office" },
    called: "leased",
  },
  // Conference bridges: everybody joins at the full hour.
  "conference-bridge": {
    ...magnet,
    subjects: 110,
    signs: ["call-bombing"],
    calls: about(260, 0.7),
    when: { meetingsOf: within(4, 45) },
    called: "leased",
    circle: 300,
    manner: "meeting",
  },
  // Parents, quarrels, lost telephones: one party rings another one until she answers.
  "insistent-caller": {
    ...person,
    subjects: 400,
    signs: ["call-bombing"],
    calls: about(26, 0.7),
    habit: { is: "insists", gap: about(150 * second, 0.9) },
    manner: "insistent",
  },
  // 110, 119, 120, 122 in a dozen rooms; they call back who was cut off.
  emergency: {
    ...magnet,
    subjects: 40,
    signs: ["call-bombing"],
    calls: about(900, 0.6),
    when: { hours: "taxi" },
    called: [86110, 86119, 86120, 86122],
    manner: "emergency",
    returns: { share: 0.14, wait: about(100 * second, 0.9), manner: "acquaintance" },
  },
  // Alarm panels report to a receiver, every hour or two; one in a hundred has a fault and repeats.
  "alarm-panel": {
    kind: "machine",
    subjects: 2500,
    signs: ["short-calls"],
    calls: about(18, 0.4),
    when: { everyMinutes: about(60, 0.3) },
    perReceiver: 150,
    faulty: 0.01,
    manner: "machine",
    redial: { share: 0.9, wait: about(45 * second, 0.3), most: 5 },
  },
  // Card terminals on dial-up lines: a short call a payment.
  "card-terminal": {
    kind: "machine",
    subjects: 2200,
    signs: ["short-calls"],
    calls: about(70, 0.7),
    when: { hours: "shops" },
    perReceiver: 500,
    faulty: 0,
    manner: "machine",
    redial: { share: 0.9, wait: about(12 * second, 0.4), most: 3 },
  },
  // Fax machines that send to many: busy ones are tried again.
  fax: {
    kind: "machine",
    subjects: 400,
    signs: ["short-calls"],
    calls: about(50, 0.8),
    when: { hours: "office" },
    perReceiver: 0,
    faulty: 0,
    manner: "fax",
    redial: { share: 0.95, wait: about(2 * minute, 0.3), most: 5 },
  },
};
