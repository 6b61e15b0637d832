import t from "tap";
import { runCampaign } from "./campaign.ts";
import { writeVector } from "./vector.ts";

/** CI takes a minute; `npm run fuzz` as long as it is told. The seed is fixed, so that a failure is the change's. */
const seconds = process.env["CI"] === undefined ? 10 : 60;
const seed = 4475;

/** Bytes: sessions leave nothing behind, but what V8 compiles later than the first hundred. */
const MOST_GROWTH = 8e6;

void t.test(`hostile sessions for ${seconds} s`, { timeout: 200_000 }, (t) => {
  const { sessions, datagrams, answered, accepted, growth, failures } = runCampaign(seed, seconds);
  t.comment(`seed ${seed}: ${datagrams} datagrams in ${sessions} sessions, ${accepted} calls accepted`);
  const vectors = [...failures].map(([kind, found]) =>
    writeVector(`${kind} (--seed ${found.seed})`, found.session),
  );
  t.same(vectors, [], `nothing wrong from seed ${seed} on`);
  t.ok(growth < MOST_GROWTH, `the heap holds ${(growth / 1e6).toFixed(1)} MB more`);
  // Sessions that never get anywhere would find nothing.
  t.ok(answered > datagrams / 3, "many a datagram leads to one");
  t.ok(accepted > datagrams / 20, "many a call is accepted");
  t.end();
});
