import t from "tap";
import type { DrachtioLinkHandlers, SipResponse } from "../../src/engines/drachtio/drachtio-link.ts";
import { createServerLink, LinkTime, type ServerLink } from "../../src/engines/drachtio/server-link.ts";

/** A link whose other end is written down, at virtual time. */
interface Stage {
  readonly link: ServerLink;
  /** What was done, as it happened. */
  readonly log: string[];
  /** The newest attempt's handlers. */
  readonly end: () => DrachtioLinkHandlers;
  /** Confirms the oldest open order or ping of the newest attempt. */
  readonly confirm: () => void;
  readonly answer: () => void;
  pass(millis: number): void;
  now: number;
}

const response: SipResponse = {
  req: {
    method: "INVITE",
    source_address: "192.0.2.1",
    source_port: 5060,
    protocol: "udp",
    stackTime: "00:00:00.000000",
  },
  send: () => undefined,
};

function createStage(): Stage {
  const log: string[] = [];
  const ends: DrachtioLinkHandlers[] = [];
  let open: (() => void)[] = [];
  const link = createServerLink(
    { host: "192.0.2.9", port: 9022, secret: "s" },
    true,
    (_server, _reports, handlers) => {
      log.push(`connect at ${stage.now}`);
      ends.push(handlers);
      open = [];
      const confirmations = open;
      return {
        ping: (answered) => confirmations.push(answered),
        nudge: () => undefined,
        answer: (_response, _status, _fields, done) => confirmations.push(() => done(undefined)),
        proxy: () => undefined,
        close: handlers.lost,
        retire: (done) => done(),
      };
    },
    {
      request: () => undefined,
      reported: () => undefined,
      fault: () => undefined,
      changed: (isUp, why) => log.push(`${isUp ? "up" : "down"}: ${why}`),
    },
  );
  const stage: Stage = {
    link,
    log,
    now: 0,
    end: () => {
      const end = ends.at(-1);
      if (end === undefined) throw new Error("nobody has connected");
      return end;
    },
    confirm: () => open.shift()?.(),
    answer: () => link.answer(stage.now, response, 403, {}),
    pass(millis) {
      for (const until = stage.now + millis; stage.now < until; stage.now += 100) link.tick(stage.now);
    },
  };
  return stage;
}

void t.test(
  "drachtio link: attempts are further and further apart, up to five seconds, and told once",
  (t) => {
    const stage = createStage();
    for (let attempt = 0; attempt < 8; attempt++) {
      const before = stage.log.length;
      while (stage.log.length === before) stage.pass(100);
      stage.end().lost("connect ECONNREFUSED");
    }
    t.same(
      stage.log.map((line) => line.replace(/^connect at /, "")),
      ["0", "down: connect ECONNREFUSED", "300", "800", "1800", "3800", "7800", "12800", "17800"],
    );
    t.notOk(stage.link.isUp);
    t.end();
  },
);

void t.test("drachtio link: a connection that never comes is given up after five seconds", (t) => {
  const stage = createStage();
  stage.pass(6000);
  t.same(stage.log, ["connect at 0", "down: no connection in time", "connect at 5100"]);
  t.end();
});

void t.test("drachtio link: a refused secret is told, and tried again", (t) => {
  const stage = createStage();
  stage.pass(100);
  stage.end().lost("the secret was refused");
  t.notOk(stage.link.isUp);
  stage.pass(300);
  t.same(stage.log, ["connect at 0", "down: the secret was refused", "connect at 300"]);
  stage.end().connected("udp/192.0.2.9:5060");
  t.ok(stage.link.isUp);
  t.equal(stage.log.at(-1), "up: udp/192.0.2.9:5060");
  t.end();
});

void t.test("drachtio link: pings that are answered keep it, for as long as one likes", (t) => {
  const stage = createStage();
  stage.pass(100);
  stage.end().connected("udp/192.0.2.9:5060");
  for (let i = 0; i < 600; i++) {
    stage.pass(100);
    stage.confirm();
  }
  t.ok(stage.link.isUp);
  t.same(stage.log, ["connect at 0", "up: udp/192.0.2.9:5060"]);
  t.end();
});

void t.test("drachtio link: a ping without an answer ends it after the deadline, not before", (t) => {
  const stage = createStage();
  stage.pass(100);
  stage.end().connected("udp/192.0.2.9:5060");
  stage.pass(LinkTime.deadline);
  t.ok(stage.link.isUp, "at the deadline of the first ping");
  stage.pass(100);
  t.notOk(stage.link.isUp);
  t.equal(stage.log.at(-1), "down: the server obeys no more");
  stage.pass(300);
  t.match(stage.log.at(-1), /^connect at /, "and a new one is made at once");
  t.end();
});

void t.test("drachtio link: an order that is never confirmed ends it, though others were", (t) => {
  const stage = createStage();
  stage.pass(100);
  stage.end().connected("udp/192.0.2.9:5060");
  stage.pass(100);
  stage.confirm();
  stage.answer();
  stage.answer();
  stage.pass(1000);
  stage.confirm();
  stage.pass(1900);
  t.ok(stage.link.isUp, "the server has obeyed something within the deadline");
  stage.pass(300);
  t.notOk(stage.link.isUp);
  t.end();
});

void t.test("drachtio link: what a lost connection says late is nobody's business", (t) => {
  const stage = createStage();
  stage.pass(100);
  const first = stage.end();
  first.lost("gone");
  stage.pass(400);
  stage.end().connected("udp/192.0.2.9:5060");
  first.lost("gone again");
  first.connected("udp/192.0.2.66:5060");
  t.ok(stage.link.isUp);
  t.equal(stage.log.at(-1), "up: udp/192.0.2.9:5060");
  void stage.link.close();
  t.notOk(stage.link.isUp);
  stage.pass(10_000);
  t.equal(stage.log.filter((line) => line.startsWith("connect")).length, 2, "closed is closed");
  t.end();
});
