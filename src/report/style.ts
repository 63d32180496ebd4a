import { COLORS, FONT } from './palette.js';

/** The page's whole style sheet: 1100 px on screen, A4 on paper. */
export const STYLE = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #f3f4f6; color: ${COLORS.ink}; font: 15px/1.5 ${FONT}; }
main { width: 1100px; max-width: 100%; margin: 0 auto; padding: 44px 32px 36px; background: ${COLORS.paper}; }
h1 { font-size: 27px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }
h2 { font-size: 19px; margin: 44px 0 10px; padding-top: 14px; border-top: 1px solid ${COLORS.rule}; }
h3 { font-size: 13px; font-weight: 600; margin: 0 0 6px; }
p { margin: 0 0 10px; max-width: 860px; }
.subtitle { color: ${COLORS.muted}; margin-bottom: 20px; }
.lead { margin-top: 20px; }
sub { font-size: 75%; line-height: 0; }
.verdict { border-left: 5px solid ${COLORS.muted}; background: #f6f7f9; padding: 12px 16px; margin: 0; font-size: 16px; max-width: none; }
.verdict.holds { border-color: ${COLORS.eqBG}; }
.verdict.fails { border-color: ${COLORS.nBG}; }
.numbers { display: grid; grid-template-columns: repeat(4, 1fr); gap: 0 22px; margin: 18px 0 6px; }
.numbers div { border-top: 2px solid ${COLORS.ink}; padding-top: 8px; }
.numbers p { margin: 0; font-size: 20px; line-height: 1.35; font-variant-numeric: tabular-nums; white-space: nowrap; }
.numbers span { display: inline-block; width: 46px; font-size: 13px; }
.numbers p.known { font-size: 13px; color: ${COLORS.muted}; margin-top: 3px; white-space: normal; }
.eqbg { color: ${COLORS.eqBG}; }
.nbg { color: #b24f00; }
.training { color: ${COLORS.muted}; }
figure { margin: 16px 0 26px; }
figure .row { display: flex; align-items: flex-start; justify-content: space-between; gap: 12px; margin-bottom: 12px; }
figure svg { display: block; max-width: 100%; height: auto; }
figure .cells .mark-rect path { shape-rendering: crispEdges; }
figcaption { font-size: 13.5px; line-height: 1.45; color: #3a4048; max-width: 980px; }
table { border-collapse: collapse; font-size: 13px; line-height: 1.35; font-variant-numeric: tabular-nums; }
table.results { width: 100%; }
th, td { padding: 3px 7px; text-align: right; vertical-align: top; white-space: nowrap; }
th[scope=row], th[scope=rowgroup], td.name { text-align: left; font-weight: normal; }
thead th { vertical-align: bottom; border-bottom: 1px solid ${COLORS.ink}; }
thead th.set { border-bottom: 1px solid ${COLORS.rule}; text-align: center; }
tr.group th { padding-top: 12px; font-weight: 600; border-bottom: 1px solid ${COLORS.rule}; }
td.known, tr.known td { background: #f6f7f9; }
td.name { font-weight: 600; }
dl.status dt { font-weight: 600; font-size: 13.5px; }
dl.status dd { margin: 0 0 8px; font-size: 13.5px; max-width: 900px; }
ul, ol { margin: 0; padding-left: 20px; max-width: 900px; }
li { margin-bottom: 4px; }
footer { font-size: 13px; color: #3a4048; }
dl.settings { display: grid; grid-template-columns: repeat(3, auto 1fr); gap: 2px 14px; margin: 0 0 14px; }
dl.settings dt { color: ${COLORS.muted}; }
dl.settings dd { margin: 0; }
code { font: 13px/1.4 ui-monospace, Menlo, Consolas, "Liberation Mono", monospace; background: #f3f4f6; padding: 2px 5px; }
@page { size: A4; margin: 12mm; }
@media print {
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  body { background: none; font-size: 10.5pt; }
  main { width: auto; padding: 0; }
  figure, .numbers, .verdict, tbody { break-inside: avoid; }
  h2 { break-after: avoid; margin-top: 24px; }
  table.results { font-size: 8pt; }
  th, td { padding: 1.5px 3.5px; }
  figure .seeds { flex-direction: column; }
  .numbers { gap: 0 14px; }
  .numbers p { font-size: 16px; }
}
`;
