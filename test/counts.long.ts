import "./counts/day.ts";
