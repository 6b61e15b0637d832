import t from "tap";
import { startFilter } from "./filter-process.ts";
import { openWorkplace, staticText } from "./workplace.ts";

const listed = "01087654321";

/** A configuration that drains for at most `seconds`. */
function drainingFor(seconds: number): string {
  return staticText.replace("drainSeconds: 0", `drainSeconds: ${seconds}`);
}

void t.test("drain: not ready, new calls 503, what is in progress passes", async (t) => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const place = await openWorkplace();
    t.teardown(place.remove);
    place.write("sigwall.yaml", drainingFor(600));
    const filter = await startFilter(place.config);
    t.equal(await place.placeCall(filter.sipPort, listed), "forwarded");
    const repeat = place.lastInvite();
    const stopped = filter.stop(signal);
    await filter.logged(["stopping", signal]);
    const ready = await fetch(`${filter.admin}/readyz`);
    t.equal(ready.status, 503, `${signal}: not ready`);
    t.equal((await fetch(`${filter.admin}/healthz`)).status, 200, "alive");
    t.match(await (await fetch(`${filter.admin}/metrics`)).text(), "sigwall_draining 1\n");
    t.equal(await place.placeCall(filter.sipPort, listed), "503", "a new call");
    t.equal(await place.send(filter.sipPort, repeat), "forwarded", "a repeat of an accepted one");
    filter.signal("SIGKILL");
    await stopped;
  }
});

void t.test("drain: an end when its time is over, whatever is in progress", async (t) => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const place = await openWorkplace();
    t.teardown(place.remove);
    place.write("sigwall.yaml", drainingFor(1));
    const filter = await startFilter(place.config);
    t.equal(await place.placeCall(filter.sipPort, listed), "forwarded");
    t.equal(await filter.stop(signal), 0, `${signal}: exit code`);
  }
});

void t.test("drain: an idle filter ends at once", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  place.write("sigwall.yaml", drainingFor(60));
  const filter = await startFilter(place.config);
  const begun = Date.now();
  t.equal(await filter.stop(), 0);
  t.ok(Date.now() - begun < 20_000, "long before its time is over");
});

void t.test("drain: a second signal ends it at once", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  place.write("sigwall.yaml", drainingFor(60));
  const filter = await startFilter(place.config);
  t.equal(await place.placeCall(filter.sipPort, listed), "forwarded");
  const stopped = filter.stop();
  await filter.logged(["stopping"]);
  filter.signal("SIGTERM");
  t.equal(await stopped, null, "by the signal itself");
});
