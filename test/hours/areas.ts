// The area of a called number, and the area codes of provinces.
import t from "tap";
import { createDialPlan } from "../../src/numbering/dial-plan.ts";
import { readCalledNumber } from "../../src/numbering/e164.ts";
import { areaOf, areasOfProvince, provinceNames } from "../../src/numbering/areas/area-of.ts";
import { cnPlan } from "../../src/numbering/cn-plan.data.ts";

const plan = createDialPlan({ homeArea: "10" });

void t.test("fixed numbers have an area, however they are dialled", (t) => {
  for (const [dialled, area] of [
    ["01087654321", 10],
    ["+861087654321", 10],
    ["00861087654321", 10],
    ["861087654321", 10],
    ["87654321", 10],
    ["02166600123", 21],
    ["02787654321", 27],
    ["075522223333", 755],
    ["+8675522223333", 755],
    ["09917654321", 991],
    ["08987654321", 0],
    ["089866660000", 898],
    ["13900000000", 0],
    ["+8617090000000", 0],
    ["95588", 0],
    ["01095588", 0],
    ["12345", 0],
    ["4008208820", 0],
    ["0085281234567", 0],
    ["+861", 0],
  ] as const)
    t.equal(areaOf(readCalledNumber(dialled, plan)), area, dialled);
  t.end();
});

void t.test("every area code of the plan is in one province", (t) => {
  const codes = provinceNames.flatMap((name) => areasOfProvince(name) ?? []);
  const planned = cnPlan.filter((row) => row.class === "fixed").flatMap((row) => row.prefixes.split(" "));
  t.same(codes.toSorted(), planned.toSorted());
  t.equal(provinceNames.length, 31);
  t.same(areasOfProvince("北京"), ["10"]);
  t.same(areasOfProvince("北京市"), ["10"]);
  t.ok(areasOfProvince("新疆")?.includes("991"));
  t.ok(areasOfProvince("广西")?.includes("771"));
  t.equal(areasOfProvince("广"), undefined);
  t.equal(areasOfProvince("Guangdong"), undefined);
  t.end();
});
