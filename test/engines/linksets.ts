// Which links are one linkset, and which of their ends are one side.
import t from "tap";
import { groupLinks } from "../../src/engines/m3ua/linksets.ts";
import type { AssociationConfig, LinkConfig } from "../../src/config/sigwall/m3ua-schema.ts";
import { compileText } from "../support/proxy.ts";

const policy = compileText(`
version: 1
home: { country: "86" }
timeZone: Asia/Shanghai
trunks:
  - { id: core-1, side: core, match: { addresses: [198.51.100.1, 198.51.100.3] } }
  - { id: core-2, side: core, match: { addresses: [198.51.100.2] } }
  - { id: one, side: lessee, match: { addresses: [203.0.113.1, 203.0.113.3], cic: ["1-30"] }, lessee: bank, areaCode: "10" }
  - { id: two, side: lessee, match: { addresses: [203.0.113.2, 203.0.113.3], cic: ["33-62"] }, lessee: bank, areaCode: "10" }
  - { id: other, side: lessee, match: { addresses: [203.0.113.9] }, lessee: bank, areaCode: "10" }
lessees:
  - { id: bank, name: Bank, contract: HT-1, numbers: bank.csv }
`);

function end(address: string): AssociationConfig {
  const local = { address: "192.0.2.1", port: 2905 };
  const remote = { address, port: 2905 };
  return { id: "x", transport: "tcp", role: "client", local, remote, locals: [local], remotes: [remote] };
}

function addressOf(who: string): string {
  return (who.startsWith("L") ? "203.0.113." : "198.51.100.") + who.slice(1);
}

/** "L1-C1": the first association to the first address of a lessee, the second to that of the core; "a:" names a linkset. */
function linkOf(text: string): LinkConfig {
  const [, linkset, first = "", second = ""] = /^(?:(\w+):)?(\w+)-(\w+)$/.exec(text) ?? [];
  return { linkset, associations: [end(addressOf(first)), end(addressOf(second))] };
}

void t.test("links between the same two networks are one linkset", (t) => {
  const rows: readonly (readonly [name: string, links: string, expected: string])[] = [
    ["the same trunks", "L1-C1 L1-C3", "0 1"],
    ["another core", "L1-C1 L1-C2", "0 | 1"],
    ["another lessee", "L1-C1 L9-C1", "0 | 1"],
    ["named in either order", "L1-C1 C3-L1 L1-C3", "0 1' 2"],
    ["three trunks behind one pair of STPs", "L3-C1 L1-C1 L2-C3", "0 1 2"],
    ["a link that brings others together, last", "L1-C1 L2-C1 L3-C1", "0 1 2"],
    ["the same, in either order", "L1-C1 C1-L2 L3-C1", "0 1' 2"],
    ["the same, the last one turned", "L1-C1 L2-C1 C1-L3", "0 1 2'"],
    ["near miss: nothing brings them together", "L1-C1 L2-C1 L9-C1", "0 | 1 | 2"],
    ["one name", "a:L1-C1 a:L1-C2", "0 1"],
    ["one name, nothing in common, named in either order", "a:L1-C1 a:C2-L9", "0 1'"],
    ["two names, the same trunks", "a:L1-C1 b:L1-C1 L1-C1", "0 | 1 | 2"],
  ];
  for (const [name, links, expected] of rows) {
    const groups = groupLinks(links.split(" ").map(linkOf), policy);
    const told = groups.map((group) =>
      group.map(({ link, firstSide }) => `${link}${firstSide === 0 ? "" : "'"}`).join(" "),
    );
    t.equal(told.join(" | "), expected, name);
  }
  t.end();
});
