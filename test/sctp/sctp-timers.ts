import t from "tap";
import {
  ACKNOWLEDGE,
  associationRetransmissions,
  HEARTBEAT,
  PATH_RETRANSMISSIONS,
  RTO,
} from "../../src/wire/sctp/sctp-timers.ts";

/** How long most peers delay an acknowledgement (RFC 9260 section 6.2). Milliseconds. */
const PEER_DELAY = 200;

/** Time until so many retransmissions were in vain: every time-out is twice the one before (RFC 9260 section 6.3.3). */
function silence(retransmissions: number): number {
  let sum = 0;
  for (let index = 0, timeout = RTO.min; index <= retransmissions; index++) {
    sum += timeout;
    timeout = Math.min(timeout * 2, RTO.max);
  }
  return sum;
}

void t.test("the timers of SCTP fit each other", (t) => {
  t.ok(RTO.min > PEER_DELAY && RTO.min > ACKNOWLEDGE, "a delayed acknowledgement is no loss");
  t.ok(RTO.min <= RTO.initial && RTO.initial <= RTO.max);
  t.ok(RTO.max <= 1000, "messages leave a path after one time-out, of a second at most");
  t.equal(
    silence(PATH_RETRANSMISSIONS),
    3900,
    "a path, and an association with one, is down after some 4 seconds",
  );
  t.ok(HEARTBEAT + RTO.max <= 3000, "an idle path is asked every 3 seconds, so it is soon known to be back");
  t.end();
});

void t.test("an association is given up after no more time-outs than those of its paths together", (t) => {
  for (const [paths, expected] of [
    [0, 4],
    [1, 4],
    [2, 8],
    [3, 8],
    [16, 8],
  ] as const) {
    t.equal(associationRetransmissions(paths), expected, `${paths} paths`);
    t.ok(expected <= Math.max(paths, 1) * PATH_RETRANSMISSIONS, "RFC 9260 section 8.1");
  }
  t.end();
});
