import { once } from "node:events";
import t from "tap";
import { openThief } from "../support/drachtio-admin.ts";
import { until } from "../support/until.ts";
import { openPlace } from "./drachtio-place.ts";

void t.test(
  "a server that goes while calls are on: not ready, calls get 503, and it comes back",
  async (t) => {
    const place = await openPlace();
    t.equal(await place.changed(), "up");
    t.equal(await place.call(), "forwarded");
    // The engine is back at once, unless the server stays away until the call is over.
    place.server.turnAway(true);
    place.server.hangUp();
    t.equal(await place.changed(), "down: the server closed the connection");
    t.notOk(place.engine.isReady());
    await until(() => place.server.clients() === 0);
    t.equal(await place.call(), "503", "by the server itself: nobody is asked, nobody gets through");
    place.server.turnAway(false);
    t.equal(await place.changed(), "up");
    t.ok(place.engine.isReady());
    t.equal(await place.call(), "forwarded");
    await place.close();
  },
);

void t.test("a wrong secret: not ready, and told in words", async (t) => {
  const place = await openPlace({ secret: "guess" });
  t.equal(await place.changed(), "down: the secret was refused");
  t.notOk(place.engine.isReady());
  t.equal(await place.call(), "503");
  await place.close();
});

void t.test("the engine ends: the server refuses by itself, another engine goes on", async (t) => {
  const place = await openPlace();
  t.equal(await place.changed(), "up");
  await place.engine.stop();
  await until(() => place.server.clients() === 0);
  t.equal(await place.call(), "503");
  await place.engine.start();
  t.equal(await place.changed(), "up");
  t.equal(await place.call(), "forwarded");
  await place.close();
});

void t.test("a server that stops reading is left, and found again", async (t) => {
  const place = await openPlace();
  t.equal(await place.changed(), "up");
  place.server.stall();
  t.equal(await place.changed(), "down: the server obeys no more");
  t.equal(await place.changed(), "up");
  t.equal(await place.call(), "forwarded");
  await place.close();
});

void t.test("what drachtio-srf can't read ends the link, never the process", async (t) => {
  for (const babble of ["what#is this", "5#a|b|c", "12#x|nonsense|yz"]) {
    const place = await openPlace();
    t.equal(await place.changed(), "up");
    place.server.babble(babble);
    t.equal(await place.changed(), "down: the server sent what can't be read", babble);
    t.equal(place.faults.length, 1);
    t.equal(await place.changed(), "up");
    t.equal(await place.call(), "forwarded");
    await place.close();
  }
});

void t.test("calls that another application took are counted", async (t) => {
  const place = await openPlace();
  t.equal(await place.changed(), "up");
  const thief = await openThief(place.server);
  const stolen = once(thief, "data");
  // One of them is answered by nobody.
  const answered = [place.call(), place.call()];
  for (const each of answered) each.catch(() => undefined);
  await stolen;
  t.equal(await Promise.race(answered), "forwarded", "one came here");
  await until(() => place.unjudged.length > 0);
  t.match(place.unjudged, [/^attempt call-\w+-\d+$/]);
  t.equal(place.counters.unjudgedAttempts, 1);
  thief.destroy();
  await place.close();
});
