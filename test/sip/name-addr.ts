import t from "tap";
import { createAddressSpan, readAddress, readParam, readUri } from "../../src/sip/fields/name-addr.ts";

const span = createAddressSpan();

void t.test("name-addr and addr-spec", async (t) => {
  // value, display, uri, fault
  const rows: readonly (readonly [string, string, string, string | undefined])[] = [
    ["<sip:a@b>", "", "sip:a@b", undefined],
    ["sip:a@b;tag=1", "", "sip:a@b", undefined],
    ['"Ops, North" <sip:a@b>;tag=1', '"Ops, North"', "sip:a@b", undefined],
    ['"a\\"<sip:x@y>" <sip:a@b>', '"a\\"<sip:x@y>"', "sip:a@b", undefined],
    ["Ops North<sip:a@b>", "Ops North", "sip:a@b", undefined],
    ["<sip:a;x=1@b;y=2>;tag=1", "", "sip:a;x=1@b;y=2", undefined],
    ["<tel:+86;phone-context=x>", "", "tel:+86;phone-context=x", undefined],
    ['"Ops <sip:a@b>', "", "", "quoted string without an end"],
    ["<sip:a@b", "", "sip:a@b", "< without >"],
    ["< sip:a@b >", "", " sip:a@b ", "space, quote or bracket inside <>"],
    ["<sip:a@b> junk", "", "sip:a@b", "text after the address"],
    ["<sip:a@b>;tag=1;<sip:c@d>", "", "sip:a@b", "text after the address"],
    ["sip:a@b?Subject=x", "", "sip:a@b?Subject=x", "address needs brackets"],
    ["sip:+8610;phone-context=x@b", "", "sip:+8610", "address needs brackets"],
    ['\\"arik\\" <sip:a@b>', '\\"arik\\"', "sip:a@b", "backslash outside quotes"],
    ["sip:x@y <sip:a@b>", "sip:x@y", "sip:a@b", "address inside a display name"],
    ["tel:+1 <sip:a@b>", "tel:+1", "sip:a@b", "address inside a display name"],
    ["Sips:x@y <sip:a@b>", "Sips:x@y", "sip:a@b", "address inside a display name"],
    ["x@y<sip:a@b>", "x@y", "sip:a@b", undefined],
    ["Desk: 4711 <sip:a@b>", "Desk: 4711", "sip:a@b", undefined],
    ["hotels: x <sip:a@b>", "hotels: x", "sip:a@b", undefined],
    ["sip:x> <sip:a@b>", "sip:x>", "sip:a@b", "address inside a display name"],
    ["x> <sip:a@b>", "x>", "sip:a@b", "address inside a display name"],
    ['"Ops" sip:x@y <sip:a@b>', '"Ops" sip:x@y', "sip:a@b", "address inside a display name"],
    ['Ops "<sip:x@y>" <sip:a@b>', 'Ops "<sip:x@y>"', "sip:a@b", "quote inside a display name"],
    ['"Ops" "<sip:x@y>" <sip:a@b>', '"Ops" "<sip:x@y>"', "sip:a@b", "quote inside a display name"],
    ['"Ops""<sip:x@y>"<sip:a@b>', '"Ops""<sip:x@y>"', "sip:a@b", "quote inside a display name"],
    ['"sip:x@y" <sip:a@b>', '"sip:x@y"', "sip:a@b", undefined],
    ['"Ops" North <sip:a@b>', '"Ops" North', "sip:a@b", undefined],
    ["Ops (North) [1]/2 <sip:a@b>", "Ops (North) [1]/2", "sip:a@b", undefined],
    ["M\xc3\xbcller <sip:a@b>", "M\xc3\xbcller", "sip:a@b", undefined],
    ["-.!%*_+`'~ <sip:a@b>", "-.!%*_+`'~", "sip:a@b", undefined],
    ["", "", "", "no address"],
    [", <sip:a@b>", "", "", "no address"],
  ];
  for (const [value, display, uri, fault] of rows) {
    readAddress(value, 0, span);
    t.equal(value.slice(span.uriStart, span.uriEnd), uri, `${value}: URI`);
    t.equal(value.slice(span.displayStart, span.displayEnd), display, `${value}: display name`);
    t.equal(span.fault, fault, `${value}: fault`);
  }
});

void t.test("a display name that ends in an octet 0x5C", async (t) => {
  const two = "quoted string that ends in two ways";
  const open = "quoted string without an end";
  const outside = "backslash outside quotes";
  // value, URIs, the first fault
  const rows: readonly (readonly [string, readonly string[], string | undefined])[] = [
    ['"\xb3\xcc\x5c" <sip:a@b>;tag=1', [], open],
    ['"\xb3\x5c" <sip:a@b>;tag=1', ["sip:a@b"], undefined],
    ['"\xb3\x5c"<sip:a@b>', ["sip:a@b"], undefined],
    ['"\xb3\x5c"   <sip:a@b>', ["sip:a@b"], undefined],
    ['"Bank \xbe\xa9\xd5\x5c" <sip:a@b>', ["sip:a@b"], undefined],
    ['"\xb3\x5c\xd5\x5c" <sip:a@b>', ["sip:a@b"], undefined],
    ['"\xb3\x5c", <sip:a@b>', [], open],
    // Lists.
    ['"\xb3\x5c" <sip:a@b>, <tel:+1>', ["sip:a@b", "tel:+1"], undefined],
    ['"\xb3\x5c" <sip:a@b>, "Ops" <tel:+1>', ["sip:a@b", "tel:+1"], undefined],
    ['"\xb3\x5c" <sip:a@b>, "\xb3\x5c" <tel:+1>', ["sip:a@b", "tel:+1"], undefined],
    [
      '"\xb3\x5c" <sip:a@b>, "\xb3\x5c" <tel:+1>, "\xd5\x5c" <tel:+2>',
      ["sip:a@b", "tel:+1", "tel:+2"],
      undefined,
    ],
    ['"Ops" <tel:+1>, "\xb3\x5c" <sip:a@b>', ["tel:+1", "sip:a@b"], undefined],
    // An ordinary pair, and an escape behind whole characters.
    ['"\xb3\x5cx" <sip:a@b>', ["sip:a@b"], undefined],
    ['"\xb3\xcc\x5c\x5c" <sip:a@b>', ["sip:a@b"], undefined],
    ['"\xc3\xa9\x5c"x\x5c"" <sip:a@b>', ["sip:a@b"], undefined],
    ['"\xe4\xb8\xad\x5c"x" <sip:a@b>', ["sip:a@b"], undefined],
    ['"a\x5c" <sip:x@y>" <sip:a@b>', ["sip:a@b"], undefined],
    // Without quotes.
    ["\xb3\x5c <sip:a@b>;tag=1", ["sip:a@b"], undefined],
    ["Bank \xd5\x5c\xb3\xcc <sip:a@b>, \xb3\x5c <tel:+1>", ["sip:a@b", "tel:+1"], undefined],
    ["\xb3\x5c<sip:a@b>", [], outside],
    ["\xb3\x5c, <sip:a@b>", [], outside],
    ["\xb3\x5c\x5c <sip:a@b>", [], outside],
    ["a\x5c <sip:a@b>", [], outside],
    // Two addresses, by which end is taken.
    ['"\xb3\x5c" <sip:x@y>" <sip:a@b>', [], open],
    ['"\xb3\x5c" <sip:x@y>, " <sip:a@b>', [], two],
    ['"\xb3\x5c" <sip:x@y>, " <sip:a@b>;p="q"', [], two],
    ['"\xb3\x5c" <sip:x@y>, "<sip:z@z>" <sip:a@b>', [], two],
    ['"\xb3\x5c" <sip:x@y>, "a\x5c" <sip:z@z>" <sip:a@b>', [], two],
    ['"\xb3\x5c" <sip:x@y>;p=", x <sip:a@b>;q="', [], two],
    ['"\xb3\x5c" <sip:x@y>;p="<sip:a@b>"', [], two],
    ['"\xb3\x5c" <sip:x@y>;p="q" <sip:a@b>', [], "text after the address"],
    ['"\xb3\x5c" <sip:x@y> <sip:a@b>', [], "text after the address"],
    ['"a\x5c" <sip:a@b>', [], open],
    ['"\xb3\xcc\xd5a\x5c" <sip:a@b>', [], open],
  ];
  for (const [value, uris, fault] of rows) {
    const found: string[] = [];
    let first: string | undefined;
    for (let at = 0; at < value.length; at = span.end + 1) {
      readAddress(value, at, span);
      first ??= span.fault;
      found.push(value.slice(span.uriStart, span.uriEnd));
    }
    t.equal(first, fault, `${value}: fault`);
    if (fault === undefined) t.same(found, uris, `${value}: URIs`);
  }
});

void t.test("a list is split at commas outside quotes and brackets", async (t) => {
  const value = '"a,b" <sip:1@x,y>;p="c,d" , <tel:+2>,sip:3@z';
  const found: string[] = [];
  for (let at = 0; at < value.length; at = span.end + 1) {
    readAddress(value, at, span);
    found.push(value.slice(span.uriStart, span.uriEnd));
  }
  t.same(found, ["sip:1@x,y", "tel:+2", "sip:3@z"]);
});

void t.test("parameters", async (t) => {
  const rows: readonly (readonly [string, string, string | undefined])[] = [
    [";tag=1", "tag", "1"],
    ["; TAG = 1 ;x", "tag", "1"],
    [";x=tag;tagx=2", "tag", undefined],
    [';x="a;tag=no";tag=yes', "tag", "yes"],
    [";lr", "lr", ""],
    [";lr=", "lr", ""],
    ["", "tag", undefined],
    [";tag=1;tag=2", "tag", "1"],
  ];
  for (const [value, name, wanted] of rows) t.equal(readParam(value, 0, value.length, name), wanted, value);
  let twice = 0;
  readParam(";tag=1;Tag=2", 0, 12, "tag", () => twice++);
  t.equal(twice, 1, "a second one is noticed");
});

void t.test("URIs", async (t) => {
  // uri, scheme, user, host, port, params, fault
  const rows: readonly (readonly [
    string,
    string,
    string | undefined,
    string,
    number,
    string,
    string | undefined,
  ])[] = [
    ["sip:a@b", "sip", "a", "b", 0, "", undefined],
    ["SIPS:a:pw@b:5061;x=1?h=2", "sips", "a:pw", "b", 5061, ";x=1?h=2", undefined],
    ["sip:+86;phone-context=x@b", "sip", "+86;phone-context=x", "b", 0, "", undefined],
    ["sip:a@[2001:db8::1]:5060;lr", "sip", "a", "2001:db8::1", 5060, ";lr", undefined],
    ["sip:b", "sip", undefined, "b", 0, "", undefined],
    ["sip:@b", "sip", "", "b", 0, "", undefined],
    ["tel:+8610;ext=1", "tel", "+8610;ext=1", "", 0, "", undefined],
    ["urn:service:sos", "urn", "service:sos", "", 0, "", undefined],
    ["sip:a@c@b", "sip", "a@c", "b", 0, "", "more than one @"],
    ["sip:a@b:70000", "sip", "a", "b", -1, "", "port is not a number of 1 to 65535"],
    ["sip:a@", "sip", "a", "", 0, "", "URI without a host"],
    ["sip:a@[::1", "sip", "a", "", 0, "", "[ without ]"],
    ["nothing", "other", undefined, "", 0, "", "URI without a scheme"],
    ["http://x", "other", "//x", "", 0, "", undefined],
  ];
  for (const [uri, scheme, user, host, port, params, fault] of rows) {
    t.same(readUri(uri, 0, uri.length), { scheme, user, host, port, params, fault }, uri);
  }
});
