/** Message types that sources may name (Q.763 table 4). */
const types: Readonly<Record<string, number>> = {
  IAM: 0x01,
  SAM: 0x02,
  INF: 0x04,
  ACM: 0x06,
  ANM: 0x09,
  REL: 0x0c,
  RLC: 0x10,
  RSC: 0x12,
  SGM: 0x38,
};

const presentations: Readonly<Record<string, number>> = { allowed: 0, restricted: 1, unavailable: 2 };

/** Optional parameters by the name that sources give them, in the order in which they are written. */
const parameters: readonly (readonly [name: string, code: number])[] = [
  ["calling", 0x0a],
  ["redirecting", 0x0b],
  ["redirection", 0x13],
  ["original", 0x28],
  ["display", 0x73],
  ["generic", 0xc0],
  ["name", 0xc7],
];

/** Parameters that sources write in hexadecimal. */
const inHex: ReadonlySet<string> = new Set(["redirection", "display", "name"]);

/** Digits in pairs, the first one in the low half; `F` is the end of pulsing. */
function encodeDigits(digits: string): Buffer {
  const even = digits.length % 2 === 0 ? digits : `${digits}0`;
  return Buffer.from(even.replaceAll(/(.)(.)/g, "$2$1"), "hex");
}

/** A number parameter from `4:861087654321/restricted/si0/incomplete`: nature of address, digits, what differs from usual. */
function encodeNumber(text: string, isCalled: boolean): Buffer {
  const [number = "", ...marks] = text.split("/");
  const [nature = "", digits = ""] = number.split(":");
  const presentation = presentations[marks.find((mark) => mark in presentations) ?? "allowed"] ?? 0;
  const screening = Number(marks.find((mark) => mark.startsWith("si"))?.slice(2) ?? 3);
  const indicators = isCalled ? 0x10 : 0x10 | (presentation << 2) | screening;
  const incomplete = marks.includes("incomplete") ? 0x80 : 0;
  const odd = digits.length % 2 === 1 ? 0x80 : 0;
  return Buffer.concat([Buffer.from([odd | Number(nature), incomplete | indicators]), encodeDigits(digits)]);
}

function encodeOptional(fields: readonly (readonly [string, string])[]): Buffer {
  const pieces: Buffer[] = [];
  for (const [name, code] of parameters) {
    for (const [, value] of fields.filter(([key]) => key === name)) {
      const number = inHex.has(name) ? Buffer.from(value, "hex") : encodeNumber(value, false);
      // A generic number begins with its qualifier: `/q128`, otherwise additional calling party number.
      const qualifier = Number(/\/q(\d+)/.exec(value)?.[1] ?? 6);
      const content = name === "generic" ? Buffer.concat([Buffer.from([qualifier]), number]) : number;
      pieces.push(Buffer.from([code, content.length]), content);
    }
  }
  return Buffer.concat([...pieces, Buffer.from([0])]);
}

/**
 * The octets of an ISUP message from its type on: `IAM called=4:8613800138000F calling=4:14155550123`, `SAM digits=12`, `REL cause=16`, or
 * `hex 0100…`. Throws on what it does not know, because sources are our own.
 */
export function encodeIsup(text: string): Buffer {
  const [name = "", ...rest] = text.trim().split(" ");
  if (name === "hex") return Buffer.from(rest.join(""), "hex");
  const type = types[name];
  if (type === undefined) throw new Error(`unknown ISUP message "${name}"`);
  const fields = rest.map((field): readonly [string, string] => {
    const equals = field.indexOf("=");
    return [field.slice(0, equals), field.slice(equals + 1)];
  });
  const value = (key: string): string => fields.find(([field]) => field === key)?.[1] ?? "";
  const optional = encodeOptional(fields);
  switch (name) {
    case "IAM": {
      const called = encodeNumber(value("called"), true);
      const category = Number(value("category") || 0x0a);
      const head = Buffer.from([type, 0, 0x60, 1, category, 0, 2, called.length + 2, called.length]);
      return Buffer.concat([head, called, optional]);
    }
    case "SAM": {
      const digits = value("digits");
      const signals = encodeDigits(digits);
      return Buffer.concat([
        Buffer.from([type, 2, 0, signals.length + 1, digits.length % 2 === 1 ? 0x80 : 0]),
        signals,
      ]);
    }
    case "REL":
      return Buffer.from([type, 2, 0, 2, 0x83, 0x80 | Number(value("cause") || 16)]);
    case "RLC":
      return Buffer.from([type, 0]);
    case "RSC":
      return Buffer.from([type]);
    case "SGM":
    case "ANM":
      return Buffer.concat([Buffer.from([type, 1]), optional]);
    default:
      // INF and ACM have two octets of indicators.
      return Buffer.concat([Buffer.from([type, 0, 0, 1]), optional]);
  }
}

/** The circuit that a message belongs to. */
export interface CircuitOptions {
  readonly opc: number;
  readonly dpc: number;
  readonly cic: number;
}

/** An M3UA DATA message (RFC 4666 section 3.3.1) around an ISUP message: national network, routing context 100. */
export function writeM3ua({ opc, dpc, cic }: CircuitOptions, isup: Buffer): Buffer {
  const label = Buffer.alloc(14);
  label.writeUInt32BE(opc, 0);
  label.writeUInt32BE(dpc, 4);
  label[8] = 5;
  label[9] = 2;
  label[11] = cic & 15;
  label.writeUInt16LE(cic, 12);
  const size = 4 + label.length + isup.length;
  const padding = Buffer.alloc((4 - (size % 4)) % 4);
  const head = Buffer.from("010001010000000000060008000000640210", "hex");
  const length = Buffer.alloc(2);
  length.writeUInt16BE(size);
  const whole = Buffer.concat([head, length, label, isup, padding]);
  whole.writeUInt32BE(whole.length, 4);
  return whole;
}
