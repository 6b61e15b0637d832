// What a day of traffic consists of: populations, subjects, calls, campaigns, as tables that a person can look over.
import { detectors, difficulties, NONE, type TrafficCall } from "./call.ts";
import { HOUR } from "./hours.ts";
import type { Traffic } from "./traffic.ts";

interface Tally {
  calls: number;
  answered: number;
  unreachable: number;
  ringing: number;
  rang: number;
  talk: number;
}

export interface Summary {
  add(call: TrafficCall): void;
  /** Calls so far. */
  calls(): number;
  /** Calls of campaigns so far. */
  abusive(): number;
  /** Calls of each campaign so far, by its id. */
  readonly ofCampaign: Float64Array;
  print(): string;
}

function createTally(): Tally {
  return { calls: 0, answered: 0, unreachable: 0, ringing: 0, rang: 0, talk: 0 };
}

export function createSummary(traffic: Traffic): Summary {
  const names = [...new Set(traffic.subjects.map(({ population }) => population))];
  const tallies = names.map(createTally);
  const place = Int32Array.from(traffic.subjects, ({ population }) => names.indexOf(population));
  const ofCampaign = new Float64Array(traffic.campaigns.length);
  const hours = new Float64Array(24);
  let calls = 0;
  let abusive = 0;

  function add(call: TrafficCall): void {
    calls += 1;
    const hour = Math.floor(call.at / HOUR);
    hours[hour] = (hours[hour] ?? 0) + 1;
    if (call.campaign !== NONE) {
      abusive += 1;
      ofCampaign[call.campaign] = (ofCampaign[call.campaign] ?? 0) + 1;
    }
    const tally = tallies[place[call.subject] ?? 0];
    if (tally === undefined) return;
    tally.calls += 1;
    if (call.ringing === NONE) tally.unreachable += 1;
    else {
      tally.rang += 1;
      tally.ringing += (call.answered === NONE ? call.ended : call.answered) - call.ringing;
    }
    if (call.answered === NONE) return;
    tally.answered += 1;
    tally.talk += call.ended - call.answered;
  }

  function populationRows(): readonly (readonly string[])[] {
    return names.map((name, index) => {
      const tally = tallies[index] ?? createTally();
      const members = traffic.subjects.filter(({ population }) => population === name);
      return [
        name,
        String(members.length),
        String(tally.calls),
        (tally.calls / members.length).toFixed(0),
        percent(tally.answered, tally.calls),
        percent(tally.unreachable, tally.calls),
        seconds(tally.ringing, tally.rang),
        seconds(tally.talk, tally.answered),
        members[0]?.signs.join(" ") ?? "",
      ];
    });
  }

  function detectorRows(): readonly (readonly string[])[] {
    return detectors.map((detector) => {
      const mine = traffic.campaigns.filter((campaign) => campaign.detector === detector);
      return [
        detector,
        ...difficulties.map((difficulty) =>
          String(mine.filter((campaign) => campaign.difficulty === difficulty).length),
        ),
        String(mine.reduce((sum, { id }) => sum + (ofCampaign[id] ?? 0), 0)),
        String(traffic.subjects.filter(({ signs }) => signs.includes(detector)).length),
      ];
    });
  }

  function print(): string {
    const total = `${calls} calls, ${abusive} of campaigns (${percent(abusive, calls)}); ${traffic.subjects.length} subjects, ${traffic.campaigns.length} campaigns, ${traffic.trunks.length} trunks, ${traffic.lessees.length} lessees; at most ${traffic.waiting().most} actors waited`;
    const head = [
      "population",
      "subjects",
      "calls",
      "each",
      "answered",
      "never rang",
      "ringing",
      "talk",
      "signs",
    ];
    const detectorHead = ["campaigns", ...difficulties, "calls", "honest subjects with the sign"];
    const perHour = Array.from(hours, (count) => String(Math.round(count))).join(" ");
    return [
      total,
      "",
      table([head, ...populationRows()]),
      "",
      table([detectorHead, ...detectorRows()]),
      "",
      `calls by hour: ${perHour}`,
    ].join("\n");
  }

  return { add, calls: () => calls, abusive: () => abusive, ofCampaign, print };
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "–" : `${((100 * part) / whole).toFixed(1)} %`;
}

function seconds(sum: number, count: number): string {
  return count === 0 ? "–" : `${(sum / count / 1000).toFixed(1)} s`;
}

/** The first column to the left, numbers to the right, the last one as it is. */
function table(rows: readonly (readonly string[])[]): string {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          if (column === 0) return cell.padEnd(widths[0] ?? 0);
          return column === columns - 1 ? cell : cell.padStart(widths[column] ?? 0);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
