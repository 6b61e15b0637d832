// A virtual day of labelled calls, in the order of time, made while it is read.
import { createAgenda } from "./agenda.ts";
import { addCampaign, type Register } from "./abusive/campaign.ts";
import { addSubLease } from "./abusive/sub-lease.ts";
import { addTwoPlaces } from "./abusive/two-places.ts";
import {
  detectors,
  difficulties,
  type Campaign,
  type TrafficCall,
  type TrafficLessee,
  type TrafficSubject,
  type TrafficTrunk,
} from "./call.ts";
import { addCrowd } from "./honest/crowd.ts";
import { createMachines } from "./honest/machine.ts";
import { addMagnet } from "./honest/magnet.ts";
import { addOffice } from "./honest/office.ts";
import { addPerson } from "./honest/person.ts";
import { addSender } from "./honest/sender.ts";
import { createProfile, DAY } from "./hours.ts";
import { createLines } from "./lines.ts";
import { createNumbers } from "./numbers.ts";
import { campaigns as campaignParameters, campaignsEach } from "./parameters/abusive.ts";
import { crowd, populations, type PopulationParameters } from "./parameters/honest.ts";
import * as world from "./parameters/world.ts";
import { createStage, enlist, type Stage } from "./stage.ts";

export interface TrafficOptions {
  readonly seed: number;
  /** 1 is the full size, 20 million calls a day. At least 0.025 keeps the share of abusive calls near 1 %. */
  readonly scale: number;
  /** Calls that begin before are left out. Milliseconds since the virtual midnight. Default: 0. */
  readonly from?: number;
  /** The stream ends here. Milliseconds since the virtual midnight. Default: the end of the day. */
  readonly until?: number;
}

export interface Traffic {
  /** Every call once. Can be read once. Memory is level: what is kept are subjects, and calls that wait to be made again or back. */
  calls(): Generator<TrafficCall, void, undefined>;
  readonly trunks: readonly TrafficTrunk[];
  readonly lessees: readonly TrafficLessee[];
  readonly subjects: readonly TrafficSubject[];
  readonly campaigns: readonly Campaign[];
  /** Actors that wait for their turn: now, and the most so far. */
  waiting(): { readonly now: number; readonly most: number };
}

/** At least one of everything, however small the scale. */
function scaled(count: number, scale: number): number {
  return Math.max(1, Math.round(count * scale));
}

/** Makes the subjects and campaigns of a day. The same options give the same day. */
export function createTraffic({ seed, scale, from = 0, until = DAY }: TrafficOptions): Traffic {
  const agenda = createAgenda();
  const subjects: TrafficSubject[] = [];
  const numbers = createNumbers(world.numbers, scale);
  const lines = createLines(world.lines, numbers, scale);
  const people = enlist(
    { subjects },
    {
      population: "private-persons",
      signs: [],
      trunks: lines.national.map(({ trunk }) => trunk),
      callers: [],
      called: [],
    },
  );
  const stage = createStage({
    seed,
    scale,
    numbers,
    lines,
    profiles: Object.fromEntries(
      Object.entries(world.profiles).map(([name, weights]) => [name, createProfile(weights)]),
    ),
    manners: world.manners,
    people,
    subjects,
    planned: { honest: 0, abusive: 0 },
    later(at, actor) {
      // What lies behind the end is never told.
      if (at < until) agenda.add(at, actor);
    },
  });
  for (const [name, parameters] of Object.entries(populations)) addPopulation(stage, name, parameters);
  const register: Register = { campaigns: [] };
  addCampaigns(stage, register);
  const total = world.callsPerDay * scale - stage.planned.abusive;
  addCrowd(stage, crowd, Math.max(0, Math.round(total / (1 + world.followUps) - stage.planned.honest)));

  function* calls(): Generator<TrafficCall, void, undefined> {
    while (agenda.next() < until) {
      agenda.turn();
      const call = stage.take();
      if (call !== undefined && call.at >= from) yield call;
    }
  }

  return {
    calls,
    trunks: lines.trunks,
    lessees: lines.lessees,
    subjects,
    campaigns: register.campaigns,
    waiting: () => ({ now: agenda.size(), most: agenda.most() }),
  };
}

function addPopulation(stage: Stage, name: string, parameters: PopulationParameters): void {
  const addMachine = parameters.kind === "machine" ? createMachines(stage, name, parameters) : undefined;
  const count = scaled(parameters.subjects, stage.scale);
  for (let index = 0; index < count; index += 1) {
    switch (parameters.kind) {
      case "sender":
        addSender(stage, name, parameters, index);
        break;
      case "magnet":
        addMagnet(stage, name, parameters, index);
        break;
      case "machine":
        addMachine?.(index);
        break;
      case "office":
        addOffice(stage, name, parameters, index);
        break;
      case "person":
        addPerson(stage, name, parameters, index);
        break;
    }
  }
}

function addCampaigns(stage: Stage, register: Register): void {
  const count = scaled(campaignsEach, stage.scale);
  for (const detector of detectors) {
    for (const difficulty of difficulties) {
      const parameters = campaignParameters[detector][difficulty];
      for (let index = 0; index < count; index += 1) {
        if (parameters.kind === "dial") addCampaign(stage, register, detector, difficulty, parameters, index);
        else if (parameters.kind === "two-places")
          addTwoPlaces(stage, register, difficulty, parameters, index);
        else addSubLease(stage, register, difficulty, parameters, index);
      }
    }
  }
}
