import { testDamagedTables } from "./intake/mutated-tables.ts";
import { testDamagedWorkbooks } from "./intake/mutated-workbooks.ts";
import "./intake/large-tables.ts";

// They begin where those of the short area end.
testDamagedTables(1001, 15_000);
testDamagedWorkbooks(301, 6000);
