#include "cli/html_style.h"

namespace p11mime::cli {

std::string_view html_style() {
    return R"(
:root { color-scheme: light; --ink: #1c232b; --quiet: #4d5863; --line: #cfd6dd; --paper: #fff; --desk: #eef1f5;
  --good: #0b6b34; --good-wash: #e8f5ed; --caution: #7d4a00; --caution-wash: #fff5df; --bad: #9b1c1c;
  --bad-wash: #fdeeee; --plain: #465260; --plain-wash: #f0f3f6; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--desk); color: var(--ink); line-height: 1.5;
  font-family: system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", Arial, sans-serif; }
header, main, footer { max-width: 46rem; margin: 0 auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.3rem; line-height: 1.35; margin: 0; }
h2 { font-size: 1.1rem; margin: 0 0 .6rem; }
h3, h4, h5, h6 { font-size: 1rem; margin: 1.2rem 0 .5rem; }
p { margin: .5rem 0 0; }
.good { --tone: var(--good); --wash: var(--good-wash); }
.caution { --tone: var(--caution); --wash: var(--caution-wash); }
.bad { --tone: var(--bad); --wash: var(--bad-wash); }
.plain { --tone: var(--plain); --wash: var(--plain-wash); }
header { padding-top: 1rem; }
.verdict { display: flex; gap: 1rem; align-items: flex-start; padding: 1.1rem 1.25rem; background: var(--wash);
  border: 1px solid var(--tone); border-left-width: .5rem; border-radius: .6rem; }
.verdict h1 { color: var(--tone); }
.signs { display: flex; flex-direction: column; gap: .5rem; flex: none; }
.sign { width: 2.6rem; height: 2.8rem; display: block; flex: none; }
.sign .body { fill: var(--tone); }
.sign .ribbon { fill: var(--tone); opacity: .55; }
.sign .shackle { fill: none; stroke: var(--tone); stroke-width: 5; }
.sign .mark { fill: none; stroke: #fff; stroke-width: 4; stroke-linecap: round; stroke-linejoin: round; }
section { background: var(--paper); border: 1px solid var(--line); border-radius: .6rem; padding: 1.1rem 1.25rem;
  margin: 1rem 0; }
details { border: 1px solid var(--line); border-radius: .5rem; margin-top: .6rem; }
summary { display: flex; gap: .75rem; align-items: center; padding: .6rem .8rem; cursor: pointer; }
summary::after { content: "details"; flex: none; margin-left: auto; color: var(--quiet); font-size: .85rem;
  text-decoration: underline; }
details[open] > summary { border-bottom: 1px solid var(--line); }
details[open] > summary::after { content: "less"; }
summary:focus-visible { outline: 3px solid #1a5fb4; outline-offset: 2px; border-radius: .5rem; }
summary .sign, .cover .sign { width: 1.7rem; height: 1.85rem; }
summary strong { display: block; color: var(--tone); }
.behind { padding: .2rem .9rem 1rem; }
.quiet { color: var(--quiet); font-size: .92rem; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .3rem .9rem; margin: .8rem 0 0; }
dt { color: var(--quiet); }
dd { margin: 0; min-width: 0; }
figure { margin: .8rem 0 0; }
.chain { width: 100%; max-width: 17rem; height: auto; display: block; font-family: inherit; }
.box rect { fill: var(--wash, #f7f9fb); stroke: var(--tone, var(--line)); stroke-width: 1.5; }
.box.missing rect { fill: none; stroke: var(--caution); stroke-dasharray: 6 5; }
.chain text { fill: var(--ink); font-size: 13px; }
.chain .name { font-size: 15px; font-weight: 600; }
.chain .role, .chain .note { fill: var(--quiet); }
.arrow { fill: none; stroke: var(--quiet); stroke-width: 2; stroke-linecap: round; }
.part { margin-top: 1rem; border: 1px solid var(--line); border-left: .3rem solid var(--tone); border-radius: .4rem; }
.part.none { border-style: dashed; border-left-style: dashed; }
.cover { display: flex; gap: .6rem; align-items: center; margin: 0; padding: .45rem .8rem; background: var(--wash);
  color: var(--tone); font-size: .92rem; }
.part .inside { padding: .7rem .8rem; }
pre { margin: 0; font: inherit; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; }
.attached { border: 2px solid var(--quiet); background: var(--desk); padding: .7rem .9rem 1rem; }
.attached > h3, .attached > h4, .attached > h5 { margin: 0; }
.attached .inside, .attached ul { background: var(--paper); }
ul { margin: .5rem 0 0; padding-left: 1.2rem; }
footer { color: var(--quiet); font-size: .88rem; padding-bottom: 1.5rem; }
@media (max-width: 30rem) {
  header, main, footer { padding-left: .6rem; padding-right: .6rem; }
  .verdict, section { padding: .9rem; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dd { margin-bottom: .5rem; }
}
@media print { body { background: none; } section, .verdict { break-inside: avoid; } }
)";
}

}  // namespace p11mime::cli
