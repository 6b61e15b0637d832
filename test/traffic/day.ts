// The generated day: the same from the same seed, in the order of time, one hundredth abusive, in level memory.
import { createHash } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import t from "tap";
import { NONE, type TrafficCall } from "../../bench/traffic/call.ts";
import { DAY, HOUR } from "../../bench/traffic/hours.ts";
import { createSummary } from "../../bench/traffic/summary.ts";
import { createTraffic, type TrafficOptions } from "../../bench/traffic/traffic.ts";

/** SHA-256 of every field of every call. */
function fingerprint(options: TrafficOptions): string {
  const hash = createHash("sha256");
  for (const call of createTraffic(options).calls()) hash.update(`${Object.values(call).join()}\n`);
  return hash.digest("hex");
}

void t.test("traffic: the seed decides every call", (t) => {
  const options = { seed: 7, scale: 0.002, until: 14 * HOUR };
  const once = fingerprint(options);
  t.equal(fingerprint(options), once, "the same seed gives the same calls");
  t.not(fingerprint({ ...options, seed: 8 }), once, "another seed gives others");
  t.end();
});

void t.test("traffic: a part of the day has the calls of the whole day", (t) => {
  const options = { seed: 7, scale: 0.001 };
  const whole = [...createTraffic(options).calls()];
  const part = [...createTraffic({ ...options, from: 9 * HOUR, until: 11 * HOUR }).calls()];
  t.same(
    part,
    whole.filter(({ at }) => at >= 9 * HOUR && at < 11 * HOUR),
  );
  t.ok(part.length > 1000, "calls were made");
  t.end();
});

/** What is wrong with one call; undefined when nothing is. */
function findFault(call: TrafficCall): string | undefined {
  const { ringing, answered, ended, status, by, how } = call;
  if (call.at < 0 || call.at >= DAY) return "outside the day";
  if (![call.at, ringing, answered, ended, call.caller, call.called].every(Number.isSafeInteger))
    return "not whole";
  if (call.caller < 10_000 || call.caller >= 1e15 || call.called < 10_000 || call.called >= 1e15)
    return "no E.164 number";
  if (ended < Math.max(ringing, answered, 0)) return "ended before it began";
  if (answered !== NONE && answered < ringing) return "answered before it rang";
  if ((answered !== NONE) !== (status === 200 && how === "released" && by !== "nobody"))
    return "its end does not fit the answer";
  if ((how === "cancelled") !== (status === 487 && by === "caller")) return "not cancelled by the caller";
  if ((call.lessee === NONE) !== (call.side !== "leased")) return "no lessee of a leased trunk";
  return undefined;
}

const collect: unknown = (setFlagsFromString("--expose-gc"), runInNewContext("gc"));

/** Octets in use after a collection. */
function heap(): number {
  if (typeof collect === "function") collect();
  return process.memoryUsage().heapUsed;
}

void t.test("traffic: a day at a fortieth of the full size", (t) => {
  const traffic = createTraffic({ seed: 3, scale: 0.025 });
  const summary = createSummary(traffic);
  const faults = new Set<string>();
  const strays = new Set<number>();
  const heaps: number[] = [];
  let last = 0;
  let isOrdered = true;
  for (const call of traffic.calls()) {
    if (call.at < last) isOrdered = false;
    // Morning, noon, evening: the same subjects, other calls.
    if (
      Math.floor(call.at / HOUR) > Math.floor(last / HOUR) &&
      [9, 13, 20].includes(Math.floor(call.at / HOUR))
    )
      heaps.push(heap());
    last = call.at;
    summary.add(call);
    const fault = findFault(call);
    if (fault !== undefined) faults.add(fault);
    if (traffic.trunks[call.trunk]?.lessee !== call.lessee) faults.add("its trunk has another lessee");
    const campaign = traffic.campaigns[call.campaign];
    if (campaign !== undefined && (call.at < campaign.from || call.at >= campaign.until))
      strays.add(campaign.id);
  }
  t.ok(isOrdered, "calls begin in the order of time");
  t.same([...faults], []);
  t.same([...strays], [], "campaigns keep to their hours");
  t.same(
    [...summary.ofCampaign],
    traffic.campaigns.map(({ calls }) => calls),
    "each campaign makes the calls that its label says",
  );
  t.ok(Math.abs(summary.calls() / 500_000 - 1) < 0.05, `the day has its size: ${summary.calls()}`);
  const share = summary.abusive() / summary.calls();
  t.ok(share > 0.008 && share < 0.014, `one hundredth is abusive: ${share}`);
  t.ok(traffic.waiting().most < 5000, `few actors wait: ${traffic.waiting().most}`);
  const [morning = 0, noon = 0, evening = 0] = heaps;
  const growth = (Math.max(noon, evening) - morning) / 1e6;
  t.ok(heaps.length === 3 && growth < 4, `memory is level: ${growth.toFixed(1)} MB more`);
  t.match(summary.print(), /^private-persons .*\n(?:.*\n)*one-ring +1 +1 +1 /m, "a person can look it over");
  t.end();
});
