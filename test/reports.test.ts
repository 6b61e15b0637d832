import "./reports/months.ts";
