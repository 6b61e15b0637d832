// SAM and SGM of a capture: joined to the IAM before them.
import t from "tap";
import { encodeIsup, writeM3ua } from "../../pcaps/isup-text.ts";
import { plainTrunk } from "../../src/cli/captures/plain-trunk.ts";
import { addressBytes, writeEthernet, writeIp } from "../../src/pcap/packet.ts";
import { writeSctp } from "../../src/pcap/sctp-packet.ts";
import { writePcap } from "../../src/pcap/writer.ts";
import { createAttemptReader } from "../../src/replay/captured-attempts.ts";
import { readSeenIam } from "../../src/replay/seen-iam.ts";
import { createSignallingReader } from "../../src/replay/signalling.ts";
import { appendDigits, isComplete } from "../../src/ss7/isup-overlap.ts";
import { createIsupMessage, readIsup } from "../../src/ss7/isup.ts";
import { readCalled } from "../../src/ss7/isup-number.ts";

const A = { address: "192.0.2.1", port: 2905 };
const B = { address: "198.51.100.2", port: 2905 };
const C = { address: "203.0.113.1", port: 2905 };
const D = { address: "203.0.113.2", port: 2905 };

/** A message from A to B, or back; with the seconds since the one before, and the path that it took. */
interface Sent {
  readonly isup: string;
  readonly back?: boolean;
  readonly after?: number;
  readonly cic?: number;
  readonly path?: readonly [typeof A, typeof A];
}

const iam = "IAM called=3:27876 calling=3:1087654321";
const whole = "IAM called=3:2787654321F calling=3:1087654321";

/** The attempts of a conversation: frame, called number, calling numbers, what it repeats, when it was complete. */
function read(...sent: readonly (string | Sent)[]): string[] {
  const seen: string[] = [];
  let seconds = 1_791_015_302;
  const records = sent.map((one, tsn) => {
    const {
      isup,
      back = false,
      after = 0,
      cic = 5,
      path = [A, B],
    }: Sent = typeof one === "string" ? { isup: one } : one;
    seconds += after;
    const [from, to] = back ? [path[1], path[0]] : path;
    const circuit = back ? { opc: 2, dpc: 1, cic } : { opc: 1, dpc: 2, cic };
    const payload = writeM3ua(circuit, encodeIsup(isup.replace("SAM ", "SAM digits=")));
    const sctp = writeSctp(from, to, back ? 8 : 7, [{ tsn, stream: 1, payloadProtocol: 3, payload }]);
    return {
      seconds,
      nanos: 0,
      bytes: writeEthernet(writeIp(addressBytes(from.address), addressBytes(to.address), 132, sctp)),
    };
  });
  const begin = 1_791_015_302;
  const reader = createSignallingReader(
    createAttemptReader({
      invite: () => {},
      iam(seenIam) {
        const attempt = readSeenIam(seenIam, plainTrunk, 0);
        const { frame, completed, retransmissionOf } = seenIam;
        const repeats = retransmissionOf === undefined ? "" : ` repeats ${retransmissionOf}`;
        const late = completed.seconds === seenIam.seconds ? "" : ` at ${completed.seconds - begin} s`;
        seen.push(
          typeof attempt === "string"
            ? `${frame} ${attempt}`
            : `${frame} ${attempt.called.raw} by ${attempt.calling.map(({ number }) => number.raw).join(", ")}${repeats}${late}`,
        );
      },
      malformed: ({ frame }, why) => void seen.push(`${frame} ${why}`),
    }),
  );
  reader.push(writePcap(records));
  t.equal(reader.end(), undefined);
  return seen;
}

void t.test("digits that follow belong to the called number", (t) => {
  t.same(read(iam, "SAM 543", "SAM 21"), ["1 2787654321 by 1087654321"]);
  t.same(
    read(iam, "SAM 5", "SAM 4", "SAM 3", "SAM 2", "SAM 1"),
    ["1 2787654321 by 1087654321"],
    "one by one",
  );
  t.same(read(iam, "SAM 5", "SAM 5"), ["1 2787655 by 1087654321"], "the same digit twice is two digits");
  t.same(
    read(iam, "SAM 54321F", "SAM 9"),
    ["1 2787654321 by 1087654321"],
    "nothing follows the end of pulsing",
  );
  t.same(read(whole, "SAM 9"), ["1 2787654321 by 1087654321"], "nor in the IAM");
  t.same(read(iam), ["1 27876 by 1087654321"], "nothing follows");
  t.same(read("IAM called=3:2787654321", "SAM 0"), ["1 27876543210 by "]);
  t.end();
});

void t.test("digits end with the answer of the other exchange, with the call, and with time", (t) => {
  const alone = ["1 27876 by 1087654321"];
  for (const isup of ["ACM", "ANM", "REL cause=16", "RLC", "RSC"]) {
    t.same(read(iam, { isup, back: true }, "SAM 54321"), alone, `${isup} of the called side`);
    if (isup.startsWith("R")) t.same(read(iam, isup, "SAM 54321"), alone, `${isup} of the calling side`);
  }
  t.same(
    read(iam, { isup: "INF", back: false }, "SAM 54321"),
    ["1 2787654321 by 1087654321"],
    "near miss: INF",
  );
  t.same(read(iam, { isup: "SAM 5", after: 19 }, { isup: "SAM 4", after: 19 }), [
    "1 2787654 by 1087654321 at 38 s",
  ]);
  t.same(read(iam, { isup: "SAM 5", after: 21 }), ["1 27876 by 1087654321 at 21 s"], "T35");
  t.same(
    read(iam, { isup: whole, cic: 6, after: 21 }, { isup: "SAM 5" }),
    ["1 27876 by 1087654321 at 21 s", "2 2787654321 by 1087654321"],
    "time passes with the messages of others",
  );
  t.end();
});

void t.test("digits belong to the IAM of their circuit, direction and path", (t) => {
  t.same(read(iam, { isup: "SAM 5", cic: 6 }), ["1 27876 by 1087654321"], "another circuit");
  t.same(read(iam, { isup: "SAM 5", back: true }), ["1 27876 by 1087654321"], "the other direction");
  t.same(read("SAM 5", iam), ["2 27876 by 1087654321"], "before the IAM");
  t.same(
    read(iam, { isup: iam, path: [C, D] }, { isup: "SAM 5", path: [C, D] }, "SAM 6"),
    ["1 278766 by 1087654321", "2 278765 by 1087654321"],
    "two hops",
  );
  t.same(
    read(iam, { isup: "SAM 5", path: [C, D] }),
    ["1 278765 by 1087654321"],
    "another path of the only call",
  );
  t.same(
    read(iam, "SAM 5", "IAM called=3:27876 calling=3:2087654321", "SAM 6"),
    ["1 278765 by 1087654321", "3 278766 by 2087654321"],
    "the circuit is seized again",
  );
  t.same(
    read(iam, iam, "SAM 5"),
    ["1 278765 by 1087654321", "2 278765 by 1087654321 repeats 1"],
    "a repeat is told behind its call",
  );
  t.end();
});

void t.test("the parties of a segment are those of the call", (t) => {
  const segment = "SGM generic=3:95588";
  t.same(read(iam, segment), ["1 27876 by 1087654321, 95588"]);
  t.same(read(iam, "SAM 5", segment, "SAM 4"), ["1 2787654 by 1087654321, 95588"], "digits around it");
  t.same(read(whole, segment), ["1 2787654321 by 1087654321"], "an IAM that announces none and is complete");
  // The optional forward call indicators say that a segment follows (Q.763 section 3.38).
  const announced = "hex 010060010a00 0207 0503107278f5 080104 0a0703130178563412 00";
  t.same(read(announced, segment), ["1 27875 by 1087654321, 95588"], "announced behind the end of pulsing");
  t.same(read(announced, { isup: "ACM", back: true }, segment), ["1 27875 by 1087654321"], "it never came");
  t.same(read(iam, "hex 3801ff"), ["1 segment: an optional parameter without length"]);
  t.same(read(iam, "hex 0202001405"), ["1 IAM: SAM: a mandatory parameter ends past the message"]);
  t.end();
});

void t.test("many calls wait at once, and memory is bounded", (t) => {
  const many = Array.from({ length: 4096 + 10 }, (_, cic) => ({
    isup: iam,
    cic: cic % 4096,
    path: cic < 4096 ? ([A, B] as const) : ([C, D] as const),
  }));
  const lines = read(...many, { isup: "SAM 5", cic: 4000 }, { isup: "SAM 5", cic: 3 });
  t.equal(lines.length, many.length);
  t.equal(
    lines.filter((line) => line.includes(" 278765 ")).length,
    2,
    "the oldest went on alone, and its other hop waits",
  );
  const digits = Array.from({ length: 200 }, () => "SAM 12345678");
  t.match(read(iam, ...digits)[0], /^1 the called party number is too long|^1 IAM: /);
  t.end();
});

void t.test("an IAM written anew is the same IAM with a longer number", (t) => {
  const message = createIsupMessage();
  for (const digits of ["", "2", "27", "278"])
    for (const more of ["1", "12", "123F", "A"]) {
      const bytes = encodeIsup(`IAM called=3:${digits} calling=3:1087654321 generic=3:95588`);
      const longer = appendDigits(bytes, more);
      t.ok(readIsup(message, "itu", longer, 0, longer.length));
      const called = readCalled(longer, message.variableStart, message.variableEnd);
      t.match(called, { digits: digits + more, nature: 3, plan: 1 });
      t.equal(message.optionalCount, 2);
      t.equal(isComplete(message), more.endsWith("F"));
    }
  t.end();
});
