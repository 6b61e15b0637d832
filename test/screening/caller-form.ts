import { testRule, type Row } from "../support/rule-table.ts";

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
    name: "presented: an extension in PAI doesn't count",
    trunk: { identity: "presented" },
    calling: ["pai 8001", "from +861087654321"],
    says: "abstains",
  },
  {
    name: "presented: one in From does",
    trunk: { identity: "presented" },
    calling: ["pai +861087654321", "from 8001"],
    says: malformed,
  },
  ...["8001", "4321", "12345678901234567", "13912345678", "alice", "pbx_8001", ""].map((user): Row => ({
    name: `pai-first: From ${user} behind a PAI doesn't count`,
    trunk: { identity: "pai-first" },
    calling: ["pai +861087654321", `from ${user}`],
    says: "abstains",
  })),
  {
    name: "pai-first: every value of PAI counts",
    trunk: { identity: "pai-first" },
    calling: ["pai +861087654321", "pai 8001", "from +861087654321"],
    says: malformed,
  },
  {
    name: "pai-first: without a PAI, From counts",
    trunk: { identity: "pai-first" },
    calling: ["from 8001"],
    says: malformed,
  },
  ...["pbx01", "pbx_8001", "alice7", "3f2a9c7e-1b2c-4d5e-8f90-a1b2c3d4e5f6"].map((user): Row => ({
    name: `an account beside a PAI asserts no number: ${user}`,
    calling: ["pai +861087654321", `from ${user}`],
    says: "abstains",
  })),
  ...["pbx01", "alice7"].map((user): Row => ({
    name: `an account alone is no number: ${user}`,
    calling: [`from ${user}`],
    says: absent,
  })),
  ...["tel13912345678", "95588bank", "O1O87654321"].map((user): Row => ({
    name: `near miss: somebody finds a number in it: ${user}`,
    calling: ["pai +861087654321", `from ${user}`],
    says: malformed,
  })),
  {
    name: "a Remote-Party-ID of the called party is no caller",
    calling: ["rpid-called +861087654321", "from alice"],
    says: absent,
  },
  {
    name: "but its number must be one",
    calling: ["rpid-called 8001", "from +861087654321"],
    says: malformed,
  },
  {
    name: "presented: a PAI is no From",
    trunk: { identity: "presented" },
    calling: ["pai +861087654321", "from alice"],
    says: absent,
  },
  {
    name: "pai-first: the first field with a number is From, where PAI is a name",
    trunk: { identity: "pai-first" },
    calling: ["pai alice", "from +861087654321"],
    says: "abstains",
  },
  {
    name: "pai-first: and then From must be a number",
    trunk: { identity: "pai-first" },
    calling: ["pai alice", "from 8001"],
    says: malformed,
  },
  {
    name: "pai-first without a PAI: RPID",
    trunk: { identity: "pai-first" },
    calling: ["ppi alice", "rpid +861087654321", "from bob"],
    says: "abstains",
  },
]);
