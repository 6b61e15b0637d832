import { spawnSync } from "node:child_process";
import t from "tap";
import {
  classifyNational,
  findCodeBehindArea,
  isAreaCode,
  isCodePrefix,
  isNumberPrefix,
} from "../../src/numbering/cn.ts";
import { cnPlan } from "../../src/numbering/cn-plan.data.ts";
import { findCountryCode, fitsCountry } from "../../src/numbering/country-code.ts";
import { countryCodes } from "../../src/numbering/e164.data.ts";

void t.test("the committed tables are what the CSV files say", (t) => {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/plan-data.mjs", "--verify"], {
    encoding: "utf8",
  });
  t.equal(stderr, "");
  t.equal(status, 0);
  t.end();
});

void t.test("the tables are sound", (t) => {
  const areas = cnPlan.filter((row) => row.class === "fixed").flatMap((row) => row.prefixes.split(" "));
  t.equal(areas.length, 327, "area codes in use");
  t.equal(
    areas.find((area) => areas.some((other) => other !== area && other.startsWith(area))),
    undefined,
  );
  t.equal(
    areas.find((area) => area.startsWith("86")),
    undefined,
    "86 alone is never an area code",
  );
  t.equal(
    areas.find((area) => !isAreaCode(area)),
    undefined,
  );
  const codes = countryCodes.flatMap((row) => row.codes.split(" "));
  t.equal(codes.length, 215, "country codes");
  t.equal(
    codes.find((code) => codes.some((other) => other !== code && other.startsWith(code))),
    undefined,
  );
  t.equal(
    codes.find((code) => findCountryCode(`${code}5550123`, 0) !== Number(code)),
    undefined,
  );
  t.end();
});

/** National digits, and what the plan says. */
const national: readonly (readonly [string, string | undefined])[] = [
  ["1087654321", "fixed"],
  ["1027654321", "fixed"],
  ["1017654321", undefined], // a subscriber number begins with 2–8
  ["1097654321", undefined],
  ["108765432", undefined],
  ["10876543210", undefined],
  ["3517654321", "fixed"],
  ["35176543210", undefined], // 351 has 7 digits
  ["75583765432", "fixed"],
  ["7558376543", undefined], // 755 has 8
  ["8512345678", "fixed"], // 851 has 7 or 8
  ["85123456789", "fixed"],
  ["5672345678", undefined], // withdrawn
  ["5652345678", undefined],
  ["2612345678", undefined], // 26 is reserved
  ["13912345678", "mobile"],
  ["1391234567", undefined],
  ["139123456789", undefined],
  ["13482345678", "mobile"],
  ["13492345678", "mobile_satellite"],
  ["13491345678", undefined], // of 1349 only 2, 3 and 9
  ["17001234567", "mobile_mvno"],
  ["17112345678", "mobile_mvno"],
  ["16212345678", "mobile_mvno"],
  ["17401234567", "mobile_satellite"],
  ["17421234567", undefined], // of 174 only 17400–17412 and 1749
  ["17405123456", "mobile_satellite"],
  ["17406123456", "mobile_emergency_comms"],
  ["17412123456", "mobile_emergency_comms"],
  ["17413123456", undefined],
  ["17491234567", "mobile_satellite"],
  ["16191234567", "mobile_satellite"],
  ["14012345678", undefined],
  ["1440012345678", "mobile_iot"],
  ["14400123456", undefined], // 1440 has 13 digits
  ["14812345678", "mobile_iot"],
  ["1481234567890", "mobile_iot"],
  ["148123456789", undefined],
  ["1064812345678", "mobile_iot"],
  ["19212345678", "mobile"],
  ["19412345678", undefined],
  ["92123456789", "mobile_reserved"],
  ["4008208820", "intelligent_400"],
  ["400820882", undefined],
  ["8008208820", "intelligent_800"],
  ["1069990012", "fixed"], // Beijing 69990012
  ["1061234567", "fixed"],
  ["106999001", "sms_port"],
  ["10699900123", "sms_port"],
  ["106575550001", "sms_port"],
  ["95588", "enterprise_95"],
  ["955881", "enterprise_95"],
  ["9558", undefined],
  ["9558812", undefined],
  ["95110", "emergency"],
  ["951101", "callcentre_95"],
  ["9512345678", "fixed"], // Yinchuan 2345678
  ["9511345678", "callcentre_95"], // no subscriber begins with 1
  ["95123456789", "callcentre_95"],
  ["95788888", undefined],
  ["95888", "short_95"],
  ["96110", "anti_fraud"],
  ["96123", "short_96"],
  ["961234", "short_96"],
  ["10086", "operator_service"],
  ["10101234", "intelligent_1010"],
  ["110", "emergency"],
  ["11", undefined],
  ["1101", undefined],
  ["12110", "emergency_sms"],
  ["12395", "emergency"],
  ["12345", "public_service"],
  ["114", "directory"],
  ["118114", "business_code"],
  ["17951", "ip_prefix"],
  ["179511", undefined],
  ["16812345", "info_line"],
  ["1095588", undefined], // a code behind an area code: see below
  ["10110", "operator_service"], // 101XX, not Beijing 110
  ["", undefined],
  ["1064812345678901", undefined],
  [`110${"0".repeat(32)}`, undefined], // a length is no shift count
];

void t.test("a national number or code has one class", (t) => {
  for (const [digits, expected] of national) {
    t.equal(classifyNational(digits, 0), expected, digits);
    t.equal(classifyNational(`+86${digits}`, 3), expected, `+86${digits}`);
  }
  t.end();
});

/** National digits, and the code behind the area code. */
const behindArea: readonly (readonly [string, string | undefined])[] = [
  ["1095588", "95588"],
  ["10955881", "955881"],
  ["75596110", "96110"],
  ["35195110", "95110"],
  ["10110", "110"],
  ["951110", "110"],
  ["2712345", "12345"],
  ["27110", "110"],
  ["27114", "114"],
  ["2710086", "10086"],
  ["27118114", "118114"],
  ["755116114", "116114"],
  ["95595599", "95599"],
  ["109558812", undefined], // too long for a code
  ["109558", undefined],
  ["2795123456789", undefined], // a call centre's long number is dialled without area code
  ["274008208820", undefined],
  ["2710101234", undefined],
  ["27106999001", undefined],
  ["2617", undefined],
  ["26110", undefined], // no area
  ["567110", undefined], // withdrawn
  ["271100", undefined],
  ["2711", undefined],
  ["27", undefined],
  ["110", undefined],
  ["95588", undefined],
  ["1087654321", undefined],
  ["13912345678", undefined],
  ["", undefined],
];

void t.test("a code behind an area code", (t) => {
  for (const [digits, code] of behindArea) {
    const at = findCodeBehindArea(`+86${digits}`, 3);
    t.equal(at < 0 ? undefined : `+86${digits}`.slice(at), code, digits);
  }
  t.end();
});

void t.test("only three digits behind an area code may also be a code or number of their own", (t) => {
  const areas = cnPlan.filter((row) => row.class === "fixed").flatMap((row) => row.prefixes.split(" "));
  const codes = cnPlan.flatMap((row) =>
    row.prefixes
      .split(" ")
      .flatMap((prefix) => row.lengths.map((length) => prefix.padEnd(Math.min(length, 7), "5"))),
  );
  const both = areas.flatMap((area) =>
    codes.filter(
      (code) => findCodeBehindArea(area + code, 0) >= 0 && classifyNational(area + code, 0) !== undefined,
    ),
  );
  t.same([...new Set(both)].toSorted(), ["110", "112", "114", "119", "120", "122"]);
  t.end();
});

void t.test("prefixes of numbers and of codes", (t) => {
  const rows: readonly (readonly [string, boolean, boolean])[] = [
    ["", true, true],
    ["1", true, true],
    ["10", true, true],
    ["1077", true, false],
    ["139", true, false],
    ["1391234", true, false],
    ["140", false, false],
    ["400", false, true],
    ["4008", false, true],
    ["951", true, true],
    ["957", false, true],
    ["567", false, false],
    ["26", false, false],
    ["106", true, true],
    ["1064", true, true],
    ["10955", false, false],
    ["10110", false, true],
    ["108", true, true],
    ["7559", false, false],
    ["7552", true, false],
    ["95588", true, true],
    ["9559", false, true],
  ];
  for (const [digits, isNumber, isCode] of rows) {
    t.equal(isNumberPrefix(digits), isNumber, `numbers ${digits}*`);
    t.equal(isCodePrefix(digits), isCode, `codes ${digits}*`);
  }
  t.end();
});

void t.test("area codes", (t) => {
  for (const area of ["10", "21", "755", "351", "951"]) t.ok(isAreaCode(area), area);
  for (const area of ["", "1", "010", "26", "567", "100", "7555", "1x"]) t.notOk(isAreaCode(area), area);
  t.end();
});

void t.test("country codes", (t) => {
  const rows: readonly (readonly [string, number])[] = [
    ["14155550123", 1],
    ["79991234567", 7],
    ["85221234567", 852],
    ["861087654321", 86],
    ["95588", 95],
    ["9991234567", 0],
    ["2105550123", 0],
    ["0861087654321", 0],
    ["", 0],
    ["8", 0],
  ];
  for (const [digits, code] of rows) t.equal(findCountryCode(digits, 0), code, digits);
  t.ok(fitsCountry(44, 10));
  t.notOk(fitsCountry(44, 8));
  t.notOk(fitsCountry(999, 7));
  t.notOk(fitsCountry(44, 42), "the length is no shift count");
  t.end();
});
