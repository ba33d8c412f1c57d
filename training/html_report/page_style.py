"""How a run's page looks: in light and dark, on a desk and on a phone."""

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2430; --quiet: #5c6675; --line: #d5dae2; --ground: #f3f5f8;
  --c0: #0b62c4; --c1: #b3440b; --c2: #16794a; --c3: #7b3fb5; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181f; --ink: #e6e9ee; --quiet: #9aa5b4; --line: #333c49;
  --ground: #1e242e; --c0: #6db0ff; --c1: #ff9d66; --c2: #5fd39a; --c3: #c59bf2; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 16px; }
h1 { margin: 0 0 8px; font-size: 1.6rem; overflow-wrap: anywhere; }
h2 { margin: 32px 0 8px; font-size: 1.2rem; }
figure { margin: 0; }
img { display: block; max-width: 100%; height: auto; background: #fff; }
figcaption, .quiet { color: var(--quiet); font-size: 0.9rem; }
figcaption b { color: var(--ink); }
progress { width: 100%; height: 14px; }
.row { display: grid; gap: 20px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); }
.wide { overflow-x: auto; }
pre { margin: 0; padding: 8px 10px; overflow-x: auto; background: var(--ground); font-size: 0.85rem; }
table { border-collapse: collapse; }
th, td { padding: 4px 14px 4px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
dt { margin-top: 8px; font-weight: 600; }
dd { margin: 0; }
summary { margin: 8px 0; cursor: pointer; }
.chart svg { display: block; width: 100%; height: auto; }
.chart text { fill: var(--quiet); font-size: 12px; }
.chart .small { font-size: 10px; }
.rule { stroke: var(--line); stroke-width: 1; }
.mark { stroke: var(--quiet); stroke-width: 1; stroke-dasharray: 2 3; }
.fade { fill: var(--ground); }
polyline { fill: none; stroke-width: 1.6; }
.s0 { stroke: var(--c0); } .s1 { stroke: var(--c1); stroke-dasharray: 6 3; } .s2 { stroke: var(--c2); stroke-dasharray: 2 2; }
.s3 { stroke: var(--c3); stroke-dasharray: 9 3 2 3; }
circle { stroke: none; }
circle.s0 { fill: var(--c0); } circle.s1 { fill: var(--c1); } circle.s2 { fill: var(--c2); } circle.s3 { fill: var(--c3); }
.k0, .k1, .k2, .k3 { margin-right: 10px; white-space: nowrap; }
.k0 { color: var(--c0); } .k1 { color: var(--c1); } .k2 { color: var(--c2); } .k3 { color: var(--c3); }
"""
