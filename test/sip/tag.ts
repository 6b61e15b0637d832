import { Buffer } from "node:buffer";
import t from "tap";
import { createKeyedTags, MOST_FIELDS, MOST_HELD } from "../../src/sip/tag.ts";

const tags = createKeyedTags(Buffer.alloc(32, 7));

void t.test("keyed hashes: the same digits over a text and over octets", async (t) => {
  const uses = ["branch", "dialog", "branch", "tag", "identity", "hop", "probe", "call", "release"] as const;
  const texts = ["", "a", "192.0.2.1:5060\nz9hG4bKa\nc@h\n1", "\xff\x80", "x".repeat(MOST_FIELDS), "b"];
  for (const use of uses)
    for (const text of texts) {
      const from = tags.begin(use);
      const end = from + Buffer.from(tags.scratch.buffer).write(text, from, "latin1");
      const digits = Buffer.from(tags.finish(end)).toString("latin1");
      // A text is hashed as UTF-8: beyond ASCII the two differ.
      const expected = tags.mac(use, Buffer.from(text, "latin1").toString("latin1"));
      if (text.startsWith("\xff")) t.not(digits, expected, `${use}: no ASCII`);
      else t.equal(digits, expected, `${use} over ${text.length} octets`);
    }
});

void t.test("keyed hashes: a message that is held gives fields", async (t) => {
  const message = Buffer.from("Call-ID: call-1@192.0.2.1\r\n");
  t.ok(tags.hold(message));
  const end = tags.putHeld(tags.begin("tag"), 9, message.length - 2);
  t.equal(Buffer.from(tags.finish(end)).toString("latin1"), tags.mac("tag", "call-1@192.0.2.1"));
  t.notOk(tags.hold(Buffer.alloc(MOST_HELD + 1)), "one that is too long is not held");
  const from = tags.begin("identity");
  t.throws(() => tags.finish(from + MOST_FIELDS + 1), "no hash of a part");
});
