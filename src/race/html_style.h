// The style sheet of the HTML report; it is part of the page (html_report.cc).
#ifndef FTHREADPROF_RACE_HTML_STYLE_H_
#define FTHREADPROF_RACE_HTML_STYLE_H_

namespace fthreadprof {

inline constexpr char kHtmlStyle[] = R"css(
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --text: #1c2430; --soft: #5d6878; --line: #dde2ea;
  --code: #f3f5f8; --hit: #fff1c9; --hit-edge: #d99a00;
  --error: #b42318; --warning: #9a5b00; --note: #2a5fa8;
  --write: #b42318; --read: #2a5fa8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181e; --card: #1c222a; --text: #e4e8ee; --soft: #9aa6b6; --line: #313a46;
    --code: #161b22; --hit: #4a3b10; --hit-edge: #e0ac2b;
    --error: #ff8a80; --warning: #f0b45a; --note: #8ab8f5;
    --write: #ff8a80; --read: #8ab8f5;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 90rem; background: var(--page);
  color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif;
}
h1 { margin: 0 0 .25rem; font-size: 1.5rem; }
h2 { margin: 0; font-size: 1.15rem; overflow-wrap: anywhere; }
h3 { margin: 0; font-size: .95rem; font-weight: 600; overflow-wrap: anywhere; }
p { margin: .5rem 0; overflow-wrap: anywhere; }
a { color: inherit; }
code, pre, .place { font-family: ui-monospace, "DejaVu Sans Mono", Consolas, monospace; }
code { unicode-bidi: isolate; font-size: .92em; background: var(--code); padding: .1em .3em;
  border-radius: 4px; }
.soft { color: var(--soft); }
.badge { display: inline-block; padding: 0 .55em; border: 1px solid currentColor;
  border-radius: 1em; font-size: .8rem; font-weight: 600; line-height: 1.5; white-space: nowrap; }
.error { color: var(--error); } .warning { color: var(--warning); } .note { color: var(--note); }
.write { color: var(--write); } .read { color: var(--read); }
table { width: 100%; margin: 1.25rem 0 2rem; border-collapse: collapse; background: var(--card);
  border: 1px solid var(--line); border-radius: 8px; }
th, td { padding: .45rem .8rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; overflow-wrap: anywhere; }
tr:last-child td { border-bottom: 0; }
td:nth-child(-n+2) { white-space: nowrap; }
th { color: var(--soft); font-size: .8rem; font-weight: 600; white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.notices { margin: 1rem 0; padding: .6rem 1rem; border-left: 4px solid var(--warning);
  background: var(--card); }
article { margin: 0 0 1.75rem; padding: 1.1rem 1.25rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 8px; scroll-margin-top: 1rem; }
article:target { border-color: var(--hit-edge); }
header.race { display: flex; gap: .6rem; align-items: baseline; flex-wrap: wrap; }
.sides { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1.25rem;
  margin: .9rem 0; }
@media (max-width: 60rem) { .sides { grid-template-columns: minmax(0, 1fr); } }
.side { border: 1px solid var(--line); border-radius: 6px; padding: .7rem .8rem; }
.side > p { margin: .3rem 0 .6rem; font-size: .88rem; }
details { border-top: 1px solid var(--line); }
summary, .frame { padding: .3rem .1rem; font-size: .85rem; overflow-wrap: anywhere; }
.frame { border-top: 1px solid var(--line); padding-left: 1.05rem; }
summary { cursor: pointer; }
summary:hover { background: var(--code); }
.place { color: var(--soft); font-size: .92em; unicode-bidi: isolate; }
.function { font-weight: 600; unicode-bidi: isolate; }
pre { margin: 0 0 .5rem; padding: .4rem 0; overflow-x: auto; background: var(--code);
  border-radius: 4px; font-size: .82rem; line-height: 1.5; tab-size: 4; }
pre span { display: block; width: max-content; min-width: 100%; padding-right: 1rem;
  unicode-bidi: isolate; }
pre i { display: inline-block; width: 3.6rem; padding-right: .8rem; color: var(--soft);
  font-style: normal; text-align: right; user-select: none; }
pre span.hit { background: var(--hit); box-shadow: inset 3px 0 var(--hit-edge); }
.created { margin-top: .6rem; }
.created .frame:last-child { border-bottom: 0; }
.advice { margin: .4rem 0 0; padding: .6rem .8rem; border-left: 4px solid var(--note);
  background: var(--code); }
footer { margin-top: .6rem; font-size: .82rem; }
@media print { body { background: none; } article { break-inside: avoid; } }
)css";

}  // namespace fthreadprof

#endif  // FTHREADPROF_RACE_HTML_STYLE_H_
