import { readFileSync } from "node:fs";
import t from "tap";
import { readCorpus } from "./corpus.ts";
import { replaySession, runSession } from "./session.ts";
import { readVector, writeVector } from "./vector.ts";

void t.test("what the fuzzer found stays mended", (t) => {
  const sections = readFileSync("test/fuzz/found.md", "utf8").split("\n## ").slice(1);
  t.ok(sections.length > 0);
  for (const section of sections) {
    const datagrams = readVector(section);
    t.ok(datagrams.length > 0, "it has datagrams");
    const { complaint, answered } = replaySession(datagrams);
    t.equal(complaint?.detail, undefined, section.slice(0, section.indexOf("\n")));
    t.ok(answered > 0, "something came of it");
  }
  t.end();
});

void t.test("a session says the same words again, and survives being written down", (t) => {
  const corpus = readCorpus();
  t.ok(corpus.length > 150, "RFC 4475 and the captures were read");
  for (const seed of [1, 2, 3]) {
    const session = runSession(seed, corpus);
    t.same(runSession(seed, corpus).datagrams, session.datagrams, `seed ${seed}`);
    t.same(readVector(writeVector("any", session)), session.datagrams, `seed ${seed}, as a vector`);
  }
  t.end();
});
