import { testRule } from "../support/rule-table.ts";

const absent = "reject cli-absent";
const malformed = "reject cli-malformed";

testRule("caller-form", [
  { name: "a number in From", calling: ["from +861087654321"], says: "abstains" },
  { name: "a number in PAI is enough", calling: ["pai +861087654321", "from alice"], says: "abstains" },
  { name: "a number in ISUP is enough", calling: ["from alice", "isup +861087654321"], says: "abstains" },
  { name: "an IAM without caller", calling: ["from +861087654321"], isIam: true, says: absent },
  {
    name: "an IAM with a generic number alone",
    calling: ["from +861087654321", "generic +861087654321"],
    isIam: true,
    says: absent,
  },
  {
    name: "an IAM whose caller is not available",
    calling: ["from +861087654321", "isup ?"],
    isIam: true,
    says: absent,
  },
  {
    name: "near miss: an IAM with a caller",
    calling: ["from alice", "isup +861087654321"],
    isIam: true,
    says: "abstains",
  },
  {
    name: "near miss: ISUP that is no IAM",
    calling: ["from +861087654321", "generic +861087654321"],
    says: "abstains",
  },
  { name: "a short code is a number", calling: ["from 95588"], says: "abstains" },
  { name: "a foreign number is a number", calling: ["from +442079460000"], says: "abstains" },
  { name: "no field", calling: [], says: absent },
  { name: "a name", calling: ["from alice"], says: absent },
  { name: "names everywhere", calling: ["pai alice", "rpid bob", "from carol"], says: absent },
  { name: "an empty user part", calling: ["from "], says: absent },
  { name: "a token, where hidden-caller is off", calling: ["from anonymous"], says: absent },
  { name: "a subscriber number in the home area", calling: ["from 87654321"], says: "abstains" },
  { name: "a digit short", calling: ["from 7654321"], says: malformed },
  { name: "an extension", calling: ["from 8001"], says: malformed },
  { name: "17 digits", calling: ["from 12345678901234567"], says: malformed },
  { name: "an unassigned country code", calling: ["from +9991234567"], says: malformed },
  { name: "an unallocated area", calling: ["from +8626123456789"], says: malformed },
  { name: "fullwidth digits", calling: ["from １３９１２３４５６７８"], says: malformed },
  { name: "in any field", calling: ["pai +861087654321", "from +861087654321", "ppi 8001"], says: malformed },
  { name: "malformed before absent", calling: ["pai alice", "from 8001"], says: malformed },
  {
    name: "also in a field that doesn't count",
    trunk: { identity: "presented" },
    calling: ["pai 8001", "from +861087654321"],
    says: malformed,
  },
  {
    name: "presented: a PAI is no From",
    trunk: { identity: "presented" },
    calling: ["pai +861087654321", "from alice"],
    says: absent,
  },
  {
    name: "pai-first: a From behind a PAI without a number is none",
    trunk: { identity: "pai-first" },
    calling: ["pai alice", "from +861087654321"],
    says: absent,
  },
  {
    name: "pai-first without a PAI: RPID",
    trunk: { identity: "pai-first" },
    calling: ["ppi alice", "rpid +861087654321", "from bob"],
    says: "abstains",
  },
]);
