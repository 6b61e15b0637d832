import { Buffer } from "node:buffer";
import t from "tap";
import {
  categoryOf,
  createIsupMessage,
  findParameter,
  IsupType,
  isSegmented,
  MAX_PARAMETERS,
  readIsup,
} from "../../src/ss7/isup.ts";

const message = createIsupMessage();

function read(hex: string, variant: "itu" | "ansi" = "itu"): string {
  const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
  if (!readIsup(message, variant, bytes, 0, bytes.length)) return `fault: ${message.fault}`;
  const codes = [...message.optionalCode.subarray(0, message.optionalCount)].map((code) => code.toString(16));
  const variable = bytes.toString("hex", Math.max(message.variableStart, 0), message.variableEnd);
  return `${message.type} [${message.variableStart < 0 ? "" : variable}] ${codes.join(",")}`.trimEnd();
}

const iam = "01 00 6001 0a 00";

void t.test("messages: mandatory part, pointers, optional part", (t) => {
  const rows: readonly (readonly [what: string, hex: string, read: string])[] = [
    ["IAM", `${iam} 02 04 02 0310 0a02000b 00`, "1 [0310] a"],
    ["IAM without optional part", `${iam} 02 00 02 0310`, "1 [0310]"],
    ["octets behind the end are nobody's", `${iam} 02 04 02 0310 0a02000b 00 ffff`, "1 [0310] a"],
    ["octets between the parts", `${iam} 04 08 ffff 02 0310 ffff 0a02000b 00`, "1 [0310] a"],
    ["unknown parameters pass", `${iam} 02 04 02 0310 fe0101 0a02000b 7f00 00`, "1 [0310] fe,a,7f"],
    ["no end", `${iam} 02 04 02 0310 0a02000b`, "fault: the optional part has no end"],
    ["pointer 0", `${iam} 00 04 02 0310 00`, "fault: a pointer leads out of the message"],
    ["pointer past the end", `${iam} 7f 04 02 0310 00`, "fault: a pointer leads out of the message"],
    ["optional pointer past the end", `${iam} 02 7f 02 0310 00`, "fault: the optional part has no end"],
    ["length that lies", `${iam} 02 00 09 0310`, "fault: a mandatory parameter ends past the message"],
    [
      "optional length that lies",
      `${iam} 02 04 02 0310 0a09000b 00`,
      "fault: an optional parameter ends past the message",
    ],
    ["a code without length", `${iam} 02 04 02 0310 0a`, "fault: an optional parameter without length"],
    ["two callers", `${iam} 02 04 02 0310 0a02000b 0a02000b 00`, "fault: parameter 10 appears twice"],
    [
      "two redirecting numbers",
      `${iam} 02 04 02 0310 0b020010 0b020010 00`,
      "fault: parameter 11 appears twice",
    ],
    ["near miss: two generic numbers", `${iam} 02 04 02 0310 c003060010 c003060010 00`, "1 [0310] c0,c0"],
    ["near miss: an unknown one twice", `${iam} 02 04 02 0310 7f00 7f00 00`, "1 [0310] 7f,7f"],
    ["a type alone", "01", "fault: the message ends inside its mandatory part"],
    ["nothing", "", "fault: the message is empty"],
    ["SAM", "02 02 00 03 800021", "2 [800021]"],
    ["INF", "04 0000 01 0a02000b 00", "4 [] a"],
    ["REL", "0c 02 00 02 8395", "12 [8395]"],
    ["RLC", "10 00", "16 []"],
    ["RLC without pointer", "10", "16 []"],
    ["RSC", "12", "18 []"],
    ["GRS", "17 01 01 1f", "23 [1f]"],
    ["SGM", "38 01 c003060010 00", "56 [] c0"],
    ["SGM that is cut", "38 01 c00306", "fault: an optional parameter ends past the message"],
    ["CCR, of a layout that isn't known", "11 ffff", "17 []"],
    ["a national message", "fe 0102", "254 []"],
  ];
  for (const [what, hex, expected] of rows) t.equal(read(hex), expected, what);
  t.end();
});

void t.test("ANSI: user service information in front of the called number", (t) => {
  const ansi = "01 00 2001 0a 03 06 08";
  t.equal(read(`${ansi} 03 9090a2 02 0310 0a02000b 00`, "ansi"), "1 [0310] a");
  t.equal(
    read(`${ansi} 7f 9090a2 02 0310 0a02000b 00`, "ansi"),
    "fault: a mandatory parameter ends past the message",
    "a length that lies in the first parameter",
  );
  t.equal(
    read(`${ansi} 7f 9090a2 02 0310 0a02000b 00`),
    "1 [0310] a",
    "where ITU-T looks at the called number",
  );
  t.end();
});

const many = (count: number): string => `${iam} 02 04 02 0310 ${"7f00".repeat(count)} 00`;

void t.test("bounds", (t) => {
  t.match(read(many(MAX_PARAMETERS)), /^1 /);
  t.equal(read(many(MAX_PARAMETERS + 1)), `fault: more than ${MAX_PARAMETERS} optional parameters`);
  t.end();
});

void t.test("category and segmentation", (t) => {
  t.equal(read(`${iam} 02 04 02 0310 080104 00`), "1 [0310] 8");
  t.equal(categoryOf(message), 10);
  t.ok(isSegmented(message));
  read(`${iam} 02 04 02 0310 0801fb 00`);
  t.notOk(isSegmented(message), "every other bit");
  read(`${iam} 02 04 02 0310 0800 00`);
  t.notOk(isSegmented(message), "no content");
  read("0c 02 00 02 8395");
  t.equal(message.type, IsupType.rel);
  t.equal(categoryOf(message), -1);
  t.equal(findParameter(message, 8), -1, "nothing is left of the message before");
  t.end();
});
