import t from "tap";
import {
  isEmergencyCalled,
  readCalledNumber,
  readIsupCalledNumber,
  readSipNumber,
} from "../../src/numbering/e164.ts";
import { describeNumber, planOf } from "./reading.ts";

const beijing = "domestic:10";
const taiyuan = "domestic:351";

/** Trunk, user part of the Request-URI, reading; readings of class emergency must be recognised, all others must not. */
const rows: readonly (readonly [string, string, string])[] = [
  ...["110", "119", "120", "122", "12395", "95110"].flatMap((code): (readonly [string, string, string])[] => [
    [beijing, code, `short ${code} emergency`],
    ["domestic", code, `short ${code} emergency`],
    [beijing, `+86${code}`, `short +86${code} emergency`],
    [beijing, `0086${code}`, `short +86${code} emergency prefix00`],
    [beijing, `010${code}`, `short +8610${code} emergency domesticForm`],
    [beijing, `0755${code}`, `short +86755${code} emergency domesticForm`],
    [beijing, `+86755${code}`, `short +86755${code} emergency`],
    [beijing, `${code};phone-context=+86`, `short +86${code} emergency context`],
    [beijing, `${code};phone-context=+8610`, `short +8610${code} emergency context`],
    [beijing, `${code};phone-context=pbx.example.cn`, `short ${code} emergency`],
    [beijing, `${code};phone-context=unknown.example`, "invalid: foreign phone-context"],
    [beijing, `${code};phone-context=ims.mnc000.mcc460.3gppnetwork.org`, `short ${code} emergency`],
    [beijing, `${code};phone-context=IMS.MNC011.MCC460.3GPPNETWORK.ORG`, `short ${code} emergency`],
    [beijing, `${code};phone-context=ims.mnc030.mcc234.3gppnetwork.org`, "invalid: foreign phone-context"],
    [beijing, `${code};phone-context=mcc460.3gppnetwork.org.example`, "invalid: foreign phone-context"],
  ]),
  [beijing, "%31%31%30", "short 110 emergency"],
  [beijing, "1-1-0", "short 110 emergency"],
  [beijing, "110#", "short 110 emergency"],
  [beijing, "110F", "short 110 emergency"],
  [beijing, "86110", "short +86110 emergency noPlus"],
  [beijing, "+86010110", "short +8610110 emergency"],
  [beijing, "+86951110", "short +86951110 emergency"],
  [beijing, "110;postd=22", "short 110 emergency"],
  [beijing, "8675512395", "short +8675512395 emergency noPlus"],
  [beijing, "010110;phone-context=+86", "short +8610110 emergency context"],
  // Not an emergency service.
  [beijing, "755110", "invalid: no rule"],
  [beijing, "75512395", "+861075512395 fixed local"],
  ["domestic", "75512395", "invalid: no rule"],
  [taiyuan, "75512395", "invalid: no rule"],
  ["domestic", "2012395", "invalid: no rule"],
  ["domestic", "8610110", "invalid: no rule"],
  ["domestic", "86755110", "invalid: no rule"],
  ["domestic", "8612395", "invalid: no rule"],
  [taiyuan, "8610110", "+863518610110 fixed local"],
  // An element may dial an extension behind the number.
  [beijing, "110;ext=02787654321", "invalid: emergency code with routing parameters"],
  [beijing, "110;EXT=1", "invalid: emergency code with routing parameters"],
  [beijing, "110;trunk-context=h.example", "invalid: emergency code with routing parameters"],
  [beijing, "110;extra=1", "short 110 emergency"],
  [beijing, "02787654321;ext=1", "+862787654321 fixed domesticForm"],
  // A context may not make an emergency number of other digits.
  [beijing, "110;phone-context=+44", "invalid: cc 44: bad length"],
  [beijing, "110;phone-context=+49", "invalid: cc 49: bad length"],
  [beijing, "110;phone-context=+852", "invalid: cc 852: bad length"],
  [beijing, "0;phone-context=+8611", "invalid: foreign phone-context"],
  [beijing, "10;phone-context=+861", "invalid: foreign phone-context"],
  [beijing, "110;phone-context=+8695", "invalid: foreign phone-context"],
  [beijing, "0110;phone-context=+86", "invalid: foreign phone-context"],
  [beijing, "755110;phone-context=+86", "invalid: foreign phone-context"],
  [beijing, "2395;phone-context=+861", "invalid: foreign phone-context"],
  [beijing, "12395;phone-context=+49", "+4912395 foreign context"],
  [beijing, "110;phone-context=110", "invalid: foreign phone-context"],
  [beijing, "1100", "invalid: no rule"],
  [beijing, "11", "invalid: no rule"],
  [beijing, "0110", "invalid: 0 + unallocated"],
  [beijing, "9110", "invalid: no rule"],
  [beijing, "+110", "invalid: cc 1: bad length"],
  [beijing, "026110", "invalid: 0 + unallocated"],
  [beijing, "0101100", "invalid: 0 + unallocated"],
  [beijing, "010-010-110", "invalid: 0 + unallocated"],
  [beijing, "110;phone-context=+1", "invalid: cc 1: bad length"],
  [beijing, "110@evil", "invalid: unescaped @"],
  [beijing, "110:secret", "invalid: password"],
  [beijing, "１１０", "invalid: non-ASCII"],
  [beijing, "12110", "short 12110 emergency_sms"],
  [beijing, "112", "short 112 fault_or_gsm_emergency"],
  [beijing, "114", "short 114 directory"],
  [beijing, "96110", "short 96110 anti_fraud"],
  [beijing, "010114", "short +8610114 directory domesticForm"],
  // Dialled without the trunk prefix these are codes of their own.
  [beijing, "10110", "short 10110 operator_service"],
  [beijing, "951110", "short 951110 callcentre_95"],
  // A subscriber's number that reads like area code and emergency code.
  [taiyuan, "2012395", "+863512012395 fixed local"],
  [beijing, "31095110", "+861031095110 fixed local"],
  // Routing parameters may take the call elsewhere.
  [beijing, "110;npdi;rn=+8613800138000", "invalid: emergency code with routing parameters"],
  [beijing, "110;tgrp=x;trunk-context=example.com", "invalid: emergency code with routing parameters"],
  [beijing, "110;CIC=+86100", "invalid: emergency code with routing parameters"],
  [beijing, "110;%72n=+8613800138000", "invalid: emergency code with routing parameters"],
  [beijing, "110;dtg=x", "invalid: emergency code with routing parameters"],
  [beijing, "110;maddr=203.0.113.66", "invalid: emergency code with routing parameters"],
  [beijing, "02787654321;npdi;rn=+8613800138000", "+862787654321 fixed domesticForm"],
  // Ordinary called numbers, a little more generously than callers.
  [beijing, "02787654321", "+862787654321 fixed domesticForm"],
  [beijing, "87654321#", "+861087654321 fixed local"],
  [beijing, "+8602787654321", "+862787654321 fixed"],
  [beijing, "00442079460000", "+442079460000 foreign prefix00"],
  [beijing, "8001", "invalid: no rule"],
  ["intl", "8613912345678", "+8613912345678 mobile noPlus"],
  ["intl", "755110", "invalid: cc 7: bad length"],
  ["intl", "+8610110", "short +8610110 emergency"],
];

void t.test("called numbers", (t) => {
  for (const [context, user, expected] of rows) {
    const number = readCalledNumber(user, planOf(context));
    t.equal(describeNumber(number), expected, `${context} ${JSON.stringify(user)}`);
    t.equal(
      isEmergencyCalled(number),
      expected.split(" ").includes("emergency") && expected.startsWith("short"),
      "emergency",
    );
    t.equal(number.raw, user.split(";")[0], "raw is what was received");
  }
  t.end();
});

void t.test("an emergency code with routing parameters behind the host", (t) => {
  const rerouted = "invalid: emergency code with routing parameters";
  const behindHost: readonly (readonly [string, string, string])[] = [
    ["110", ";rn=+8613800138000;npdi", rerouted],
    ["110", ";maddr=203.0.113.66", rerouted],
    ["110", ";MADDR=203.0.113.66", rerouted],
    ["110", ";user=phone;%6daddr=203.0.113.66", rerouted],
    ["110", ";m%zzaddr=203.0.113.66", rerouted],
    ["110", ";cic", rerouted],
    ["110", ";tgrp=x;trunk-context=example.com", rerouted],
    ["110;postd=22", ";dtg=x", rerouted],
    ["+8610110", ";rn=1", rerouted],
    ["110", ";user=phone;transport=udp;lr", "short 110 emergency"],
    ["110", ";npdi;x-maddr=203.0.113.66;turn=1", "short 110 emergency"],
    ["110", ";x=maddr", "short 110 emergency"],
    ["02787654321", ";maddr=203.0.113.66", "+862787654321 fixed domesticForm"],
    ["110", ";phone-context=+44", "invalid: foreign phone-context"],
    ["110", ";user=phone;Phone-Context=%2B44", "invalid: foreign phone-context"],
    ["110", ";phone-context=other.example", "invalid: foreign phone-context"],
    ["110", ";phone-context=+86;phone-context=+44", "invalid: foreign phone-context"],
    ["110;phone-context=+86", ";phone-context=+44", "invalid: foreign phone-context"],
    ["110", ";phone-context=+86;user=phone", "short 110 emergency"],
    ["110;phone-context=+86", ";phone-context=+86", "short +86110 emergency context"],
    ["110", ";phone-context=+8610", "short 110 emergency"],
    ["110", ";phone-context=ims.mnc000.mcc460.3gppnetwork.org", "short 110 emergency"],
    ["+86110", ";phone-context=+86", "short +86110 emergency"],
    ["110", ";x-phone-context=+44", "short 110 emergency"],
    ["02787654321", ";phone-context=+44", "+862787654321 fixed domesticForm"],
  ];
  for (const [user, uriParameters, expected] of behindHost)
    t.equal(
      describeNumber(readCalledNumber(user, planOf(beijing), uriParameters)),
      expected,
      user + uriParameters,
    );
  t.end();
});

void t.test("bare forms that a trunk refuses to its callers can still be dialled", (t) => {
  for (const bareForm of ["reject", "e164", "national", "local"] as const) {
    const plan = planOf(beijing, { bareForm });
    t.equal(describeNumber(readCalledNumber("110", plan)), "short 110 emergency", bareForm);
    t.equal(describeNumber(readCalledNumber("87654321", plan)), "+861087654321 fixed local", bareForm);
  }
  t.equal(
    describeNumber(readSipNumber("87654321", planOf(beijing, { bareForm: "reject" }))),
    "invalid: no rule",
  );
  t.end();
});

void t.test("called numbers in ISUP", (t) => {
  const isup: readonly (readonly [string, number, string, string])[] = [
    [beijing, 3, "110F", "short 110 emergency"],
    [beijing, 3, "10110F", "short +8610110 emergency"],
    [beijing, 3, "010110F", "short +8610110 emergency"],
    [beijing, 2, "010110F", "short +8610110 emergency NoA2 domesticForm"],
    [beijing, 1, "110", "short 110 emergency NoA1"],
    [beijing, 4, "8610110", "short +8610110 emergency"],
    [beijing, 4, "8613800138000F", "+8613800138000 mobile"],
    [beijing, 3, "02787654321F", "+862787654321 fixed"],
    [beijing, 3, "95588", "short 95588 enterprise_95"],
    [beijing, 5, "110", "invalid: NoA 5"],
    [beijing, 3, "11B", "invalid: code 10-15 digit"],
    [beijing, 3, "F", "invalid: no digits"],
  ];
  for (const [context, nature, digits, expected] of isup)
    t.equal(
      describeNumber(readIsupCalledNumber({ digits, nature, plan: 1 }, planOf(context))),
      expected,
      `NoA ${nature} "${digits}"`,
    );
  t.equal(
    describeNumber(readIsupCalledNumber({ digits: "110", nature: 3, plan: 0 }, planOf(beijing))),
    "invalid: NPI",
  );
  t.end();
});
