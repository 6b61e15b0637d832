import { testRule } from "../support/rule-table.ts";

const calling = ["from anonymous"];

testRule("emergency", [
  { name: "110", called: "110", calling, says: "accept emergency" },
  { name: "119", called: "119", calling, says: "accept emergency" },
  { name: "120", called: "120", calling, says: "accept emergency" },
  { name: "122", called: "122", calling, says: "accept emergency" },
  { name: "12395, search and rescue at sea", called: "12395", calling, says: "accept emergency" },
  { name: "95110, coast guard", called: "95110", calling, says: "accept emergency" },
  { name: "behind an area code", called: "010110", calling, says: "accept emergency" },
  { name: "behind another area code", called: "0755119", calling, says: "accept emergency" },
  { name: "urn:service:sos", called: "x", emergencyUrn: true, calling, says: "accept emergency" },
  {
    name: "on a national trunk",
    trunk: { side: "national" },
    called: "110",
    calling,
    says: "accept emergency",
  },
  { name: "not from abroad", trunk: { side: "international" }, called: "110", calling, says: "abstains" },
  {
    name: "not from abroad, as URN",
    trunk: { side: "international" },
    emergencyUrn: true,
    calling,
    says: "abstains",
  },
  { name: "112 is no emergency call centre here", called: "112", calling, says: "abstains" },
  { name: "121, the weather", called: "121", calling, says: "abstains" },
  { name: "1100", called: "1100", calling, says: "abstains" },
  { name: "95588", called: "95588", calling, says: "abstains" },
  { name: "12315", called: "12315", calling, says: "abstains" },
  { name: "an ordinary number", called: "02787654321", calling, says: "abstains" },
  { name: "a number that ends in 110", called: "01087654110", calling, says: "abstains" },
  { name: "the caller is 110, the called party isn't", calling: ["from 110"], says: "abstains" },
]);
