import "./intake/number-cells.ts";
import "./intake/day-cells.ts";
import "./intake/text-tables.ts";
import "./intake/clean-lists.ts";
import "./intake/workbooks.ts";
import "./intake/importing.ts";
import "./intake/monthly-figures.ts";
import "./intake/hostile-tables.ts";
