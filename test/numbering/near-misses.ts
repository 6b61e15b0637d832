import t from "tap";
import type { DialPlan } from "../../src/domain/number.ts";
import { hiddenTokens, readIsupNumber, readSipNumber } from "../../src/numbering/e164.ts";
import { describeNumber, planOf } from "./reading.ts";

const beijing = "domestic:10";
const taiyuan = "domestic:351";

/** Trunk, user part as received, reading. */
const sipRows: readonly (readonly [string, string, string])[] = [
  // Every spelling of +86 from abroad.
  ["intl", "+8610-8765-4321", "+861087654321 fixed"],
  ["intl", "%2b861087654321", "+861087654321 fixed"],
  ["intl", "%2B%38%361087654321", "+861087654321 fixed"],
  ["intl", "00861087654321", "+861087654321 fixed prefix00"],
  ["intl", "0086-10-87654321", "+861087654321 fixed prefix00"],
  ["intl", "861087654321", "+861087654321 fixed noPlus"],
  ["intl", "1087654321", "+861087654321 fixed domesticForm"],
  ["intl", "+086 1087654321", "invalid: non-digit"],
  ["intl", "+0861087654321", "invalid: cc starts with 0"],
  ["intl", "+86+1087654321", "invalid: non-digit"],
  ["intl", "++861087654321", "invalid: non-digit"],
  ["intl", "000861087654321", "invalid: 000 prefix"],
  ["intl", "00", "invalid: unassigned country code"],
  ["intl", "0", "invalid: 0 + unallocated"],
  ["intl", "+8601087654321", "invalid: 86 + unallocated"],
  ["intl", "008601087654321", "invalid: 86 + unallocated"],
  ["intl", "87654321;phone-context=+8610", "+861087654321 fixed domesticForm context"],
  ["intl", "861087654321;phone-context=pbx.example.cn", "+861087654321 fixed noPlus"],
  ["intl", "87654321", "invalid: unassigned country code"],
  ["intl", "8695588", "short +8695588 enterprise_95 noPlus"],
  ["intl", "86110", "short +86110 emergency noPlus"],
  ["intl", "0110", "invalid: 0 + unallocated"],
  ["intl", "04008208820", "invalid: 0 + unallocated"],
  ["intl", "12345", "short 12345 public_service domesticForm"],
  ["intl", "2125551234", "+862125551234 fixed domesticForm"],
  // Kept trunk zero, and how far a tolerance goes: tested below.
  [beijing, "+86010-87654321", "invalid: 86 + unallocated"],
  [beijing, "+86013912345678", "invalid: 86 + unallocated"],
  // Beijing 10-6… against the SMS ports 106….
  [beijing, "1069990012", "+861069990012 fixed nsn"],
  [beijing, "69990012", "+861069990012 fixed local"],
  [beijing, "106999001", "short 106999001 sms_port"],
  [beijing, "0106999001", "invalid: 0 + unallocated"],
  [beijing, "+86106999001", "short +86106999001 sms_port"],
  [beijing, "+8610699900123", "short +8610699900123 sms_port"],
  // Area codes 951–955 against the codes of the same digits.
  [beijing, "09512345678", "+869512345678 fixed domesticForm"],
  [beijing, "09511345678", "invalid: 0 + unallocated"],
  [beijing, "9512345678", "+869512345678 fixed nsn"],
  [beijing, "9511345678", "short 9511345678 callcentre_95"],
  [beijing, "95123", "short 95123 callcentre_95"],
  [beijing, "951234", "short 951234 callcentre_95"],
  [beijing, "9512345", "invalid: no rule"],
  [beijing, "955881", "short 955881 enterprise_95"],
  [beijing, "9558812", "invalid: no rule"],
  // Areas of 7 and of 8 digits, and of either.
  [taiyuan, "87654321", "invalid: no rule"],
  [taiyuan, "1654321", "invalid: no rule"],
  [taiyuan, "9654321", "invalid: no rule"],
  [taiyuan, "8610110", "+863518610110 fixed local"],
  [beijing, "86101100", "+861086101100 fixed local"],
  [beijing, "8610086", "short +8610086 operator_service noPlus"],
  ["domestic:851", "7654321", "+868517654321 fixed local"],
  ["domestic:851", "87654321", "+8685187654321 fixed local"],
  ["domestic", "87654321", "invalid: no rule"],
  [beijing, "03511234567", "invalid: 0 + unallocated"],
  [beijing, "035176543210", "invalid: 0 + unallocated"],
  [beijing, "05672345678", "invalid: 0 + unallocated"],
  // 95xxx behind an area code; a local number of the same digits is likelier.
  [beijing, "075595588", "+8675595588 area+95/96 domesticForm"],
  [beijing, "75595588", "+861075595588 fixed local"],
  [taiyuan, "75595588", "+8675595588 area+95/96 nsn"],
  [beijing, "01096110", "short +861096110 anti_fraud domesticForm"],
  [beijing, "0109558", "invalid: 0 + unallocated"],
  [beijing, "0109558812", "invalid: 0 + unallocated"],
  [beijing, "095588", "invalid: 0 + unallocated"],
  // Every other code behind an area code.
  [beijing, "010110", "short +8610110 emergency domesticForm"],
  [beijing, "+8610110", "short +8610110 emergency"],
  [beijing, "10110", "short 10110 operator_service"],
  [beijing, "+86755110", "short +86755110 emergency"],
  [beijing, "755110", "short +86755110 emergency nsn"],
  ["intl", "755110", "short +86755110 emergency domesticForm"],
  [beijing, "01012345", "short +861012345 public_service domesticForm"],
  [beijing, "027110", "short +8627110 emergency domesticForm"],
  [beijing, "02710086", "short +862710086 operator_service domesticForm"],
  [beijing, "027118114", "short +8627118114 business_code domesticForm"],
  [beijing, "027-12345", "short +862712345 public_service domesticForm"],
  [beijing, "2712345", "short +862712345 public_service nsn"],
  [taiyuan, "2712345", "+863512712345 fixed local"],
  [beijing, "026110", "invalid: 0 + unallocated"],
  [beijing, "0271101", "invalid: 0 + unallocated"],
  [beijing, "0274008208820", "invalid: 0 + unallocated"],
  [beijing, "0279512345678", "invalid: 0 + unallocated"],
  // Blocks of mobile numbers.
  ["intl", "+8617001234567", "+8617001234567 mobile_mvno"],
  ["intl", "+8616212345678", "+8616212345678 mobile_mvno"],
  ["intl", "+8613492345678", "+8613492345678 mobile_satellite"],
  ["intl", "+8613491345678", "invalid: 86 + unallocated"],
  ["intl", "+8617406123456", "+8617406123456 mobile_emergency_comms"],
  ["intl", "+861391234567", "invalid: 86 + unallocated"],
  ["intl", "+86139123456789", "invalid: 86 + unallocated"],
  [beijing, "1440012345678", "+861440012345678 mobile_iot nsn"],
  [beijing, "14400123456", "invalid: no rule"],
  [beijing, "+8692123456789", "+8692123456789 mobile_reserved"],
  // phone-context (RFC 3966 section 5.1.5).
  [beijing, "87654321;PHONE-CONTEXT=+8610", "+861087654321 fixed context"],
  [beijing, "87654321;phone-context=%2B8610", "+861087654321 fixed context"],
  [beijing, "87654321;%70hone-context=+8610", "+861087654321 fixed context"],
  [beijing, "87654321;phone-context=+86-10", "+861087654321 fixed context"],
  [beijing, "87654321;phone-context=PBX.Example.CN", "+861087654321 fixed local"],
  [beijing, "87654321;phone-context=pbx.example.cn.evil.example", "invalid: foreign phone-context"],
  [beijing, "87654321;phone-context=", "invalid: foreign phone-context"],
  [beijing, "87654321;phone-context", "invalid: foreign phone-context"],
  [beijing, "87654321;phone-context=8610", "invalid: foreign phone-context"],
  [beijing, "87654321;phone-context=+", "invalid: bad phone-context"],
  [beijing, "87654321;phone-context=+86x10", "invalid: bad phone-context"],
  [beijing, "87654321;phone-context=+8610;phone-context=+8621", "invalid: repeated parameter"],
  [beijing, "87654321;phone-context=+8610;Phone-Context=+8610", "invalid: repeated parameter"],
  [beijing, "87654321;phone-context%3D+8610", "invalid: escaped delimiter"],
  [beijing, "110;phone-context=+86", "short +86110 emergency context"],
  [beijing, "001087654321;phone-context=+86", "invalid: 86 + unallocated"],
  // A context is a country code, with or without an area code: the digits of a number may not hide in it.
  [beijing, "13912345678;phone-context=+8613912345678", "invalid: bad phone-context"],
  [beijing, "13912345678;phone-context=+999", "invalid: bad phone-context"],
  [beijing, "5550123;phone-context=+1415", "+14155550123 foreign context"],
  [beijing, "0123;phone-context=+1415555", "invalid: bad phone-context"],
  [beijing, "110;phone-context=+861087654", "invalid: bad phone-context"],
  [beijing, "95588;phone-context=+861086", "invalid: bad phone-context"],
  [beijing, "87654321;phone-context=+86010", "invalid: bad phone-context"],
  [beijing, "87654321;phone-context=+8626", "invalid: bad phone-context"],
  [beijing, "87654321;phone-context=+0", "invalid: bad phone-context"],
  // Whoever passes over the context must not see another number.
  [beijing, "87654321;phone-context=+8621", "invalid: phone-context changes the number"],
  ["domestic", "87654321;phone-context=+8621", "+862187654321 fixed context"],
  [beijing, "1234567;phone-context=+8610", "invalid: 86 + unallocated"],
  [beijing, "95588;phone-context=+86", "short +8695588 enterprise_95 context"],
  [beijing, "95588;phone-context=+8610", "+861095588 area+95/96 context"],
  [beijing, "110;phone-context=+8610", "short +8610110 emergency context"],
  [beijing, "95588;phone-context=+86951", "+8695195588 area+95/96 context"],
  [beijing, "13912345678;phone-context=+86", "+8613912345678 mobile context"],
  [beijing, "13912345678;phone-context=+49", "invalid: phone-context changes the number"],
  [beijing, "4008208820;phone-context=+49", "invalid: phone-context changes the number"],
  [beijing, "01087654321;phone-context=+49", "invalid: phone-context changes the number"],
  [beijing, "0095588;phone-context=+49", "invalid: phone-context changes the number"],
  [beijing, "8612345;phone-context=+49", "invalid: phone-context changes the number"],
  [beijing, "17012345678;phone-context=+49", "invalid: phone-context changes the number"],
  [beijing, "5012345678;phone-context=+1", "+15012345678 foreign context"],
  // From abroad, the numbers of home have their context too.
  ["intl", "01087654321;phone-context=+86", "+861087654321 fixed domesticForm context"],
  ["intl", "13912345678;phone-context=+86", "+8613912345678 mobile domesticForm context"],
  ["intl", "95588;phone-context=+86", "short +8695588 enterprise_95 domesticForm context"],
  // A foreign context is good where the bare digits look like no number of home.
  ["intl", "5544433333;phone-context=+55", "+555544433333 foreign context ambiguous"],
  ["intl", "0791234567;phone-context=+41", "+41791234567 foreign context"],
  ["intl", "791234567;phone-context=+41", "+41791234567 foreign context"],
  ["intl", "5551234;phone-context=+1312", "+13125551234 foreign context"],
  ["intl", "(555)1234;phone-context=+1-312", "+13125551234 foreign context"],
  ["intl", "7911123456;phone-context=+44", "+447911123456 foreign context"],
  ["intl", "0612345678;phone-context=+33", "+33612345678 foreign context"],
  ["intl", "0612345678;phone-context=%2B39", "+390612345678 foreign context"],
  ["intl", "91234567;phone-context=+852", "+85291234567 foreign context"],
  ["intl", "91234567;phone-context=+65", "+6591234567 foreign context"],
  ["intl", "30123456;phone-context=+49", "+4930123456 foreign context"],
  ["intl", "2079460000;phone-context=+44", "+442079460000 foreign context ambiguous"],
  ["intl", "2125551234;phone-context=+1", "+12125551234 foreign context ambiguous"],
  ["intl", "1087654321;phone-context=+49", "+491087654321 foreign context ambiguous"],
  ["intl", "5544433333;phone-context=+55;cpc=ordinary", "+555544433333 foreign context ambiguous"],
  // Near misses: an element that drops the context shows a number of home.
  ["intl", "13812345678;phone-context=+1", "invalid: phone-context changes the number"],
  ["intl", "13912345678;phone-context=+49", "invalid: phone-context changes the number"],
  ["intl", "013912345678;phone-context=+49", "invalid: phone-context changes the number"],
  ["intl", "01087654321;phone-context=+49", "invalid: phone-context changes the number"],
  ["intl", "02079460000;phone-context=+44", "invalid: phone-context changes the number"],
  ["intl", "95588;phone-context=+49", "invalid: phone-context changes the number"],
  ["intl", "095588;phone-context=+49", "invalid: phone-context changes the number"],
  ["intl", "0095588;phone-context=+49", "invalid: phone-context changes the number"],
  ["intl", "110;phone-context=+49", "invalid: phone-context changes the number"],
  ["intl", "95588;phone-context=+4930", "invalid: phone-context changes the number"],
  ["intl", "95588;phone-context=+49151", "invalid: phone-context changes the number"],
  ["intl", "4008208820;phone-context=+49", "invalid: phone-context changes the number"],
  ["intl", "8613912345678;phone-context=+49", "invalid: phone-context changes the number"],
  ["intl", "008613912345678;phone-context=+49", "invalid: phone-context changes the number"],
  ["intl", "0041791234567;phone-context=+41", "invalid: phone-context changes the number"],
  // Near misses: no number of that country, no country.
  ["intl", "555123;phone-context=+1312", "invalid: cc 1: bad length"],
  ["intl", "555123456789;phone-context=+1", "invalid: cc 1: bad length"],
  ["intl", "5551234;phone-context=+13125551", "invalid: bad phone-context"],
  ["intl", "5551234;phone-context=+999", "invalid: bad phone-context"],
  ["intl", "+5551234;phone-context=+1312", "invalid: phone-context on global number"],
  // A global number in its own country or area: the context says nothing.
  ["intl", "+41791234567;phone-context=+41", "+41791234567 foreign"],
  [beijing, "+861087654321;phone-context=+86-10", "+861087654321 fixed"],
  [beijing, "+861087654321;phone-context=+8621", "invalid: phone-context on global number"],
  [beijing, "+861087654321;phone-context=86", "invalid: phone-context on global number"],
  [beijing, "+861087654321;phone-context=+", "invalid: phone-context on global number"],
  [beijing, "+861087654321;phone-context=pbx.example.cn", "invalid: phone-context on global number"],
  ["intl", "5551234;phone-context=example.com", "invalid: foreign phone-context"],
  // Other parameters: never the number, never twice.
  [beijing, "+861087654321;ext=8001;postd=pp22", "+861087654321 fixed"],
  [beijing, "+861087654321;x-new=1;ISUB=2", "+861087654321 fixed"],
  [beijing, "+861087654321;cpc=ordinary;CPC=police", "invalid: repeated parameter"],
  [beijing, "+861087654321;;npdi", "invalid: empty parameter"],
  [beijing, "+861087654321;", "invalid: empty parameter"],
  [beijing, "+861087654321;x=%00", "invalid: control character"],
  [beijing, "+861087654321;x=%zz", "invalid: bad escape"],
  [
    beijing,
    `+861087654321;${Array.from({ length: 25 }, (_, n) => `p${n}`).join(";")}`,
    "invalid: too many parameters",
  ],
  // Escapes: decoded once, and nothing hides in them.
  [beijing, "0108765%34321", "+861087654321 fixed domesticForm"],
  [beijing, "01087654321%00", "invalid: control character"],
  [beijing, "%0001087654321", "invalid: control character"],
  [beijing, "01087654321%0d%0a", "invalid: control character"],
  [beijing, "01087654321%7F", "invalid: control character"],
  [beijing, "01087654321%40evil.example", "invalid: escaped delimiter"],
  [beijing, "01087654321%EF%BC%91", "invalid: non-ASCII"],
  [beijing, "01087654321\u200b", "invalid: non-ASCII"],
  [beijing, "٠١٠٨٧٦٥٤٣٢١", "invalid: non-ASCII"],
  [beijing, "01087654321%", "invalid: bad escape"],
  [beijing, "01087654321%2", "invalid: bad escape"],
  [beijing, "01087654321%2g", "invalid: bad escape"],
  [beijing, "%25", "not-a-number: no digits"],
  [beijing, "%2531%2530", "invalid: double escape"],
  [beijing, "010%2D87654321", "+861087654321 fixed domesticForm"],
  [beijing, "010%2087654321", "invalid: non-digit"],
  // Userinfo that is more than a user.
  [beijing, "+861087654321:secret", "invalid: password"],
  [beijing, "anonymous:secret", "invalid: password"],
  [beijing, "+861087654321@pbx", "invalid: unescaped @"],
  // Separators, signs, end-of-number.
  [beijing, "(010)8765-4321", "+861087654321 fixed domesticForm"],
  [beijing, "(+86)1087654321", "+861087654321 fixed"],
  [beijing, "8610+87654321", "invalid: non-digit"],
  [beijing, "01087654321F", "invalid: non-digit"],
  [beijing, "01087654321%23", "invalid: non-digit"],
  [beijing, "*6701087654321", "invalid: non-digit"],
  [beijing, "01087654321p8001", "invalid: non-digit"],
  [beijing, "01087654321,8001", "invalid: non-digit"],
  [beijing, "01087654321/8001", "invalid: non-digit"],
  [beijing, "alice2", "not-a-number: account name"],
  // Lengths.
  ["intl", "+141555501234", "invalid: cc 1: bad length"],
  ["intl", "+1415555012", "invalid: cc 1: bad length"],
  ["intl", "+1", "invalid: cc 1: bad length"],
  // North America: [2-9]XX [2-9]XX XXXX, no service code N11.
  ["intl", "+12125550123", "+12125550123 foreign"],
  ["intl", "+18005550123", "+18005550123 foreign"],
  ["intl", "+12122000000", "+12122000000 foreign"],
  ["intl", "+19999999999", "+19999999999 foreign"],
  ["intl", "+10125550123", "invalid: cc 1: not [2-9]XX [2-9]XX XXXX"],
  ["intl", "+11125550123", "invalid: cc 1: not [2-9]XX [2-9]XX XXXX"],
  ["intl", "+12121550123", "invalid: cc 1: not [2-9]XX [2-9]XX XXXX"],
  ["intl", "+12120550123", "invalid: cc 1: not [2-9]XX [2-9]XX XXXX"],
  ["intl", "+19115550123", "invalid: cc 1: not [2-9]XX [2-9]XX XXXX"],
  ["intl", "+12129110123", "invalid: cc 1: not [2-9]XX [2-9]XX XXXX"],
  ["intl", "+12112110123", "invalid: cc 1: not [2-9]XX [2-9]XX XXXX"],
  ["intl", "+15550123", "invalid: cc 1: not [2-9]XX [2-9]XX XXXX"],
  ["intl", "0010125550123", "invalid: cc 1: not [2-9]XX [2-9]XX XXXX"],
  [beijing, "+11391234567", "invalid: cc 1: not [2-9]XX [2-9]XX XXXX"],
  [beijing, "+13912345678", "+13912345678 foreign"],
  ["intl", "+8612345678901234", "invalid: >15 digits"],
  ["intl", "+491234567890123", "+491234567890123 foreign"],
  ["intl", "+4912345678901234", "invalid: >15 digits"],
  ["intl", "4912345678901234", "invalid: >15 digits"],
  [beijing, "1234567890123456", "invalid: no rule"],
  [beijing, "01234567890123456", "invalid: 0 + unallocated"],
  [beijing, "86106123456789012345", "invalid: no rule"],
  [beijing, "86106123456789012", "invalid: no rule"],
  ["intl", "+85281234567", "+85281234567 foreign"],
  ["intl", "+8528123456789", "invalid: cc 852: bad length"],
  ["intl", "+886201234567890", "invalid: cc 886: bad length"],
  ["intl", "+886212345678", "+886212345678 foreign"],
  ["intl", "+10086", "invalid: cc 1: bad length"],
  ["intl", "+96110", "invalid: cc 961: bad length"],
  ["intl", "+4008208820", "invalid: cc 40: bad length"],
  // Dummies and nothing.
  ["intl", "0000000000", "invalid: 000 prefix"],
  ["intl", "+", "empty: no digits"],
  ["intl", "%2B", "empty: no digits"],
  ["intl", "-.()", "empty: no digits"],
  ["intl", ";phone-context=+86", "empty: empty user"],
  ["intl", "-;phone-context=+86", "empty: no digits"],
  // Nothing but parameters: a reader that drops the ";" shows a number.
  ["intl", ";95588", "invalid: parameters without a number"],
  ["intl", "-;95588", "invalid: parameters without a number"],
  ["intl", ";x=95588", "invalid: parameters without a number"],
  ["intl", ";phone-context=+86;95588", "invalid: parameters without a number"],
  ["intl", ";", "invalid: empty parameter"],
  ["intl", "alice;95588", "not-a-number: no digits"],
  ["intl", "alice", "not-a-number: no digits"],
  ["intl", "+alice", "not-a-number: no digits"],
  ["intl", "alice%20b", "not-a-number: no digits"],
  ["intl", "#", "not-a-number: no digits"],
  ["intl", "张三", "invalid: non-ASCII"],
  // Hidden callers.
  ["intl", "ANONYMOUS", "token: token"],
  ["intl", "%61nonymous", "token: token"],
  ["intl", "anonymous.", "token: token"],
  ["intl", "%20anonymous%20", "token: token"],
  ["intl", "-private-", "token: token"],
  ["intl", "anonymous.bank", "not-a-number: no digits"],
  ["intl", "n-one", "not-a-number: no digits"],
  ["intl", "Unavailable;user=phone", "token: token"],
  ["intl", "anonymous1", "not-a-number: account name"],
  ["intl", "anonymouse", "not-a-number: no digits"],
];

void t.test("calling numbers in SIP", (t) => {
  for (const [context, user, expected] of sipRows) {
    const number = readSipNumber(user, planOf(context));
    t.equal(describeNumber(number), expected, `${context} ${JSON.stringify(user)}`);
    t.equal(number.raw, user.split(";")[0], "raw is what was received");
  }
  t.end();
});

void t.test("keys are the digits; codes are negative", (t) => {
  const rows: readonly (readonly [string, number])[] = [
    ["+861087654321", 861087654321],
    ["87654321", 861087654321],
    ["+861440012345678", 861440012345678],
    ["95588", -95588],
    ["+8695588", -95588],
    ["01095588", -95588],
    ["010110", -110],
    ["+869552345588", 869552345588],
  ];
  for (const [user, key] of rows) {
    const number = readSipNumber(user, planOf(beijing));
    t.equal(number.kind === "unusable" ? undefined : number.key, key, user);
  }
  t.end();
});

void t.test("hidden words: the known ones and those of the operator", (t) => {
  const plan = planOf(beijing);
  const words = new Set(["nobody", "00000000"]);
  for (const word of hiddenTokens) t.equal(describeNumber(readSipNumber(word, plan)), "token: token", word);
  for (const word of ["nobody", "NoBody", "00000000", "anonymous"])
    t.equal(describeNumber(readSipNumber(word, plan, words)), "token: token", word);
  t.equal(describeNumber(readSipNumber("nobody", plan)), "not-a-number: no digits");
  t.equal(describeNumber(readSipNumber("nobody2", plan, words)), "not-a-number: account name");
  t.equal(describeNumber(readSipNumber("87654321", plan, words)), "+861087654321 fixed local");
  t.end();
});

/** Options of the trunk, user part, reading. */
const optionRows: readonly (readonly [string, Partial<DialPlan>, string, string])[] = [
  [beijing, { tolerateTrunkZero: true }, "+86010-87654321", "+861087654321 fixed"],
  [beijing, { tolerateTrunkZero: true }, "0086013912345678", "+8613912345678 mobile prefix00"],
  [beijing, { tolerateTrunkZero: true }, "86013912345678", "+8613912345678 mobile noPlus"],
  [beijing, { tolerateTrunkZero: true }, "+860013912345678", "invalid: 86 + unallocated"],
  [beijing, { tolerateTrunkZero: true }, "+8600108765432", "invalid: 86 + unallocated"],
  [beijing, { tolerateTrunkZero: true }, "+86095588", "invalid: 86 + unallocated"],
  [beijing, { tolerateTrunkZero: true }, "+0861087654321", "invalid: cc starts with 0"],
  [beijing, { stripTrailingST: true }, "01087654321F", "+861087654321 fixed domesticForm"],
  [beijing, { stripTrailingST: true }, "01087654321%23", "+861087654321 fixed domesticForm"],
  [beijing, { stripTrailingST: true }, "01087654321##", "invalid: non-digit"],
  [beijing, { stripTrailingST: true }, "0108765F4321", "invalid: non-digit"],
  [beijing, { stripTrailingST: true }, "01087654321E", "invalid: non-digit"],
  [beijing, { bareForm: "national" }, "1087654321", "+861087654321 fixed nsn"],
  [beijing, { bareForm: "national" }, "87654321", "invalid: no rule"],
  [beijing, { bareForm: "national" }, "95588", "short 95588 enterprise_95"],
  [beijing, { bareForm: "local" }, "87654321", "+861087654321 fixed local"],
  [beijing, { bareForm: "local" }, "1087654321", "invalid: no rule"],
  [beijing, { bareForm: "local" }, "110", "short 110 emergency"],
  [beijing, { bareForm: "e164" }, "861087654321", "+861087654321 fixed noPlus"],
  [beijing, { bareForm: "e164" }, "442079460000", "+442079460000 foreign noPlus"],
  [beijing, { bareForm: "e164" }, "87654321", "invalid: unassigned country code"],
  [beijing, { bareForm: "reject" }, "87654321", "invalid: no rule"],
  [beijing, { bareForm: "reject" }, "95588", "invalid: no rule"],
  [beijing, { bareForm: "reject" }, "01087654321", "+861087654321 fixed domesticForm"],
  ["intl", { bareForm: "e164" }, "13912345678", "+13912345678 foreign noPlus ambiguous"],
  ["intl", { bareForm: "national" }, "442079460000", "invalid: no rule"],
  ["intl", { bareForm: "national" }, "13912345678", "+8613912345678 mobile domesticForm"],
  ["intl", { bareForm: "national" }, "8613912345678", "+8613912345678 mobile noPlus"],
  ["intl", { bareForm: "reject" }, "13912345678", "invalid: no rule"],
  ["intl", { homeArea: "10" }, "87654321", "invalid: unassigned country code"],
];

void t.test("dial plan options", (t) => {
  for (const [context, given, user, expected] of optionRows)
    t.equal(
      describeNumber(readSipNumber(user, planOf(context, given))),
      expected,
      `${JSON.stringify(given)} ${user}`,
    );
  t.end();
});

/** Trunk, nature, digits, reading: numbering plan E.164, complete, presentation allowed. */
const isupRows: readonly (readonly [string, number, string, string])[] = [
  [beijing, 4, "8613912345678F", "+8613912345678 mobile"],
  [beijing, 4, "8613912345678FF", "invalid: code 10-15 digit"],
  [beijing, 4, "86139F12345678", "invalid: code 10-15 digit"],
  [beijing, 4, "+8613912345678", "invalid: code 10-15 digit"],
  [beijing, 4, "13912345678", "+13912345678 foreign"],
  [beijing, 4, "0", "invalid: cc starts with 0"],
  [beijing, 3, "", "invalid: no digits"],
  [beijing, 3, "F", "invalid: no digits"],
  [beijing, 3, "95588", "short 95588 enterprise_95"],
  [beijing, 3, "87654321", "invalid: 86 + unallocated"],
  [beijing, 3, "8613912345678", "invalid: 86 + unallocated"],
  ["intl", 3, "13912345678", "+8613912345678 mobile domesticForm"],
  [beijing, 3, "755110", "short +86755110 emergency"],
  [beijing, 2, "87654321", "+861087654321 fixed NoA2 local"],
  [beijing, 2, "008613912345678", "+8613912345678 mobile NoA2 prefix00"],
  [beijing, 1, "1087654321", "invalid: no rule"],
  [taiyuan, 1, "7654321", "+863517654321 fixed NoA1 local"],
  ["domestic", 1, "87654321", "invalid: no rule"],
  ["intl", 1, "95588", "invalid: subscriber NoA on intl"],
  [beijing, 0, "1087654321", "invalid: NoA 0"],
  [beijing, 127, "1087654321", "invalid: NoA 127"],
];

void t.test("calling numbers in ISUP", (t) => {
  const allowed = { plan: 1, incomplete: false, presentation: 0 };
  for (const [context, nature, digits, expected] of isupRows) {
    const number = readIsupNumber({ ...allowed, digits, nature }, planOf(context));
    t.equal(describeNumber(number), expected, `${context} NoA ${nature} "${digits}"`);
  }
  const tolerant = planOf(beijing, { tolerateTrunkZero: true });
  t.equal(
    describeNumber(readIsupNumber({ ...allowed, digits: "01087654321", nature: 3 }, tolerant)),
    "+861087654321 fixed",
  );
  t.equal(
    describeNumber(readIsupNumber({ ...allowed, digits: "095588", nature: 3 }, tolerant)),
    "invalid: national with leading 0",
  );
  t.end();
});

void t.test("ISUP indicators, the strongest first", (t) => {
  const number = { digits: "10876543B1F", nature: 5, plan: 0, incomplete: true };
  const plan = planOf(beijing);
  t.equal(describeNumber(readIsupNumber({ ...number, presentation: 2 }, plan)), "unavailable: APRI=2");
  t.equal(describeNumber(readIsupNumber({ ...number, presentation: 1 }, plan)), "invalid: NPI");
  const planned = { ...number, plan: 1 };
  t.equal(describeNumber(readIsupNumber({ ...planned, presentation: 1 }, plan)), "invalid: incomplete");
  const complete = { ...planned, incomplete: false };
  t.equal(describeNumber(readIsupNumber({ ...complete, presentation: 3 }, plan)), "invalid: APRI reserved");
  const restricted = readIsupNumber({ ...complete, presentation: 1 }, plan);
  t.equal(describeNumber(restricted), "restricted: APRI=1");
  t.equal(restricted.raw, "10876543B1", "the digits are kept for evidence");
  t.equal(
    describeNumber(readIsupNumber({ ...complete, presentation: 0 }, plan)),
    "invalid: code 10-15 digit",
  );
  t.end();
});
