import { testDamagedTables } from "./mutated-tables.ts";
import { testDamagedWorkbooks } from "./mutated-workbooks.ts";

testDamagedTables(1, 1000);
testDamagedWorkbooks(1, 300);
