// Blocks of the pool never overlap, are empty when they are taken, and small ones become large ones again.
import t from "tap";
import { createTimeBlocks, NO_BLOCK, wordsOf } from "../../src/state/frequency/time-blocks.ts";
import { createRandom } from "../pcap/reading.ts";

void t.test(
  "blocks: taken and given back in any order, none overlaps another, none holds what was there",
  (t) => {
    for (const most of [64, 1000, 65_536, 1 << 20]) {
      const random = createRandom(most);
      const blocks = createTimeBlocks(most);
      const taken: { readonly block: number; readonly sizeClass: number }[] = [];
      const owners = new Uint8Array(most);
      let wrong = 0;
      let refused = 0;
      for (let i = 0; i < 20_000; i++) {
        if (random(100) < 45 && taken.length > 0) {
          const [{ block, sizeClass } = { block: 0, sizeClass: 0 }] = taken.splice(random(taken.length), 1);
          owners.fill(0, block, block + wordsOf(sizeClass));
          blocks.words.fill(0xffff_ffff, block, block + wordsOf(sizeClass));
          blocks.give(block, sizeClass);
          continue;
        }
        const sizeClass = random(random(10) === 0 ? 12 : 5);
        const block = blocks.take(sizeClass);
        if (block === NO_BLOCK) {
          refused++;
          continue;
        }
        const end = block + wordsOf(sizeClass);
        if (end > most || block % wordsOf(sizeClass) !== 0) wrong++;
        for (let at = block; at < end; at++) if (owners[at] !== 0 || blocks.words[at] !== 0) wrong++;
        owners.fill(1, block, end);
        taken.push({ block, sizeClass });
      }
      t.equal(wrong, 0, `${most} words`);
      t.ok(most > 1 << 18 || refused > 0, `${refused} found no room`);
    }
    t.end();
  },
);

void t.test("blocks: what small ones have left serves a large one", (t) => {
  const blocks = createTimeBlocks(65_536);
  const small: number[] = [];
  for (let block = blocks.take(0); block !== NO_BLOCK; block = blocks.take(0)) small.push(block);
  t.ok(small.length > 15_800, `${small.length} small blocks`);
  t.equal(blocks.take(10), NO_BLOCK);
  for (const block of small) blocks.give(block, 0);
  t.not(blocks.take(12), NO_BLOCK);
  t.equal(blocks.take(20), NO_BLOCK, "no class is so large");
  t.end();
});
