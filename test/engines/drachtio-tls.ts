// The link to a server by TLS, where the server holds back what it can't write at once.
import t from "tap";
import { createAuthority } from "../support/certificates.ts";
import { openTlsDrachtio, realServer, realTlsPort } from "../support/drachtio-relay.ts";
import { until } from "../support/until.ts";
import { openPlace } from "./drachtio-place.ts";

t.comment(
  realTlsPort === undefined
    ? "by TLS on the test server: DRACHTIO_HOST and DRACHTIO_TLS_PORT name no other"
    : `by TLS on the drachtio-server at ${realServer?.host}:${realTlsPort}`,
);

void t.test("a link by TLS comes up with reports, and is TLS again after it was lost", async (t) => {
  const byTls = await openTlsDrachtio(t.testdir());
  const place = await openPlace({ byTls });
  t.equal(await place.changed(), "up");
  t.equal(await place.call(), "forwarded");
  place.server.hangUp();
  t.match(await place.changed(), /^down: /);
  t.equal(await place.changed(), "up");
  t.equal(await place.call(), "forwarded");
  await place.close();
});

void t.test("a server whose certificate is not trusted is none", async (t) => {
  const folder = t.testdir();
  const { server, tls } = await openTlsDrachtio(folder);
  const ca = createAuthority(folder, "other").certificate.toString();
  const place = await openPlace({ byTls: { server, tls: { ...tls, ca } } });
  t.match(await place.changed(), /^down: .*certificate/);
  t.notOk(place.engine.isReady());
  await place.close();
});

void t.test("calls that come together by TLS are all judged, and all reported", async (t) => {
  const place = await openPlace({ byTls: await openTlsDrachtio(t.testdir()) });
  t.equal(await place.changed(), "up");
  for (let round = 0; round < 5; round++) {
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => place.call()));
    t.same(new Set(outcomes), new Set(["forwarded"]));
  }
  t.match(
    new Set(place.decisions.map(({ verdict }) => verdict.reason)),
    new Set(["listed"]),
    "none has waited for too long",
  );
  // The core refuses all of them. What is not reported stays in set-up.
  await until(() => [...(place.engine.calls()?.values() ?? [])].every(({ setup }) => setup === 0));
  t.same(place.unjudged, []);
  await place.close();
});
