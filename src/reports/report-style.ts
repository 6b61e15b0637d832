// How the page of the monthly report looks, on a screen and on paper.
import { type Language, words } from "./report-words.ts";

const screen = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { font: 14px/1.5 "Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "Noto Sans", sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1a1f24; background: #fff; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
header { border-bottom: 3px solid #1f3a5f; padding-bottom: .6rem; margin-bottom: 1rem; }
h1 { font-size: 1.7rem; line-height: 1.3; margin: 0; color: #1f3a5f; } h1 span { font-weight: 400; margin-left: .6rem; }
h2 { font-size: 1.1rem; margin: 1.8rem 0 .5rem; padding-left: .5rem; border-left: 4px solid #1f3a5f; }
dl { display: grid; grid-template-columns: max-content 1fr max-content 1fr; gap: .2rem 1rem; margin: 0 0 1.2rem; } dt { color: #5a6570; } dd { margin: 0; overflow-wrap: anywhere; } dd.wide { grid-column: 2 / -1; }
p.sub { color: #5a6570; margin: .4rem 0; } p.warning { border: 1px solid #c9a400; border-left-width: 5px; background: #fff9e0; padding: .5rem .8rem; margin: 0 0 1rem; font-weight: 600; }
table { border-collapse: collapse; width: 100%; margin: 0 0 .8rem; font-variant-numeric: tabular-nums; }
th, td { padding: .28rem .5rem; border-bottom: 1px solid #d8dee4; text-align: right; vertical-align: top; }
th { background: #e9eef4; font-weight: 600; border-bottom-color: #9fb0c3; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; overflow-wrap: break-word; } td.moment { white-space: nowrap; } td.one { min-width: 6.6rem; } td small, td.ids span { display: inline-block; max-width: 100%; } td.ids span { margin-right: .6em; }
th.text, td.text, td.moment { text-align: left; } th { word-break: keep-all; }
tr.head td { font-weight: 700; background: #f6f8fa; border-top: 1px solid #9fb0c3; } td.part { padding-left: 1.6rem; }
td.ids { font: 11px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; color: #3d4650; text-align: left; overflow-wrap: anywhere; }
td small { color: #5a6570; } td.none { color: #7a5c00; } td.zero { color: #8a949e; }
svg { display: block; width: 100%; height: auto; margin: .3rem 0 1rem; } svg text { font-size: 10px; fill: #3d4650; } svg line { stroke: #d8dee4; } svg line.foot { stroke: #7d8994; } rect.all { fill: #b9c9da; } rect.refused { fill: #b3261e; }
.signed { display: grid; grid-template-columns: repeat(4, 1fr); gap: 1.5rem; margin: 3rem 0 1rem; } .signed div { border-bottom: 1px solid #1a1f24; padding-bottom: 1.6rem; color: #5a6570; }
`;

/** Margin boxes have the title and the page numbers: browsers that don't know them leave them out. */
export function writeStyle(title: string, language: Language): string {
  const pages =
    language === "zh"
      ? `"第 " counter(page) " 页 / 共 " counter(pages) " 页"`
      : `"${words.page.en} " counter(page) " of " counter(pages)`;
  const box = `font: 9px "Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "Noto Sans", sans-serif; color: #5a6570;`;
  // Letters, digits and what no string of CSS ends at.
  const running = title.replaceAll(/[^\p{L}\p{N} ,.:-]/gu, "");
  return `${screen}
@page { size: A4; margin: 17mm 14mm 16mm; @top-left { content: "${running}"; ${box} } @bottom-right { content: ${pages}; ${box} } }
@page :first { @top-left { content: none; } }
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 11px; } h1 { font-size: 20px; } h2 { font-size: 13px; margin-top: 16px; break-after: avoid; } tr, svg, .keep, .signed, p.warning { break-inside: avoid; } thead { display: table-header-group; } td.ids { font-size: 8.5px; } p.sub { orphans: 3; widows: 3; } }
`;
}
