"""How the report looks, on the screen and on A4."""

CSS = """
:root { --ink: #1d1d1f; --muted: #5c5c66; --line: #d9d9de; --ok: #1d6b3c; --warn: #8a5a00; --bad: #a3201f; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px 28px 48px; max-width: 860px; color: var(--ink); background: #fff;
  font: 14px/1.45 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 24px; margin: 0 0 2px; } h2 { font-size: 17px; margin: 30px 0 8px; padding-bottom: 3px; border-bottom: 1px solid var(--line); }
h3 { font-size: 14px; margin: 16px 0 6px; }
p { margin: 6px 0; } .muted { color: var(--muted); }
table { border-collapse: collapse; width: 100%; margin: 6px 0; } caption { text-align: left; color: var(--muted); }
th, td { text-align: left; padding: 3px 10px 3px 0; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-weight: 600; white-space: nowrap; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td { overflow-wrap: anywhere; } td:first-child { white-space: nowrap; } td.hash { min-width: 230px; font: 11px/1.4 ui-monospace, "DejaVu Sans Mono", monospace; word-break: break-all; }
.badge { display: inline-block; padding: 1px 10px; border-radius: 10px; color: #fff; font-weight: 600; white-space: nowrap; }
.pass { background: var(--ok); } .warn { background: var(--warn); } .fail { background: var(--bad); }
.row { display: flex; flex-wrap: wrap; gap: 14px 20px; align-items: flex-start; }
.half { flex: 1 1 46%; min-width: 260px; max-width: 49%; }
figure { margin: 8px 0; } figcaption { color: var(--muted); font-size: 12.5px; margin-top: 3px; }
figure img { width: 100%; height: auto; display: block; border: 1px solid var(--line); image-rendering: auto; }
figure svg { max-width: 100%; height: auto; }
.marked { position: relative; } .marked svg { position: absolute; inset: 0; width: 100%; height: 100%; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 6px 0; } dt { color: var(--muted); } dd { margin: 0; }
.bar { height: 10px; border: 1px solid var(--line); } .ends { display: grid; grid-template-columns: 1fr auto 1fr; font-size: 12px; color: var(--muted); }
.ends span:last-child { text-align: right; }
@page { size: A4; margin: 14mm 14mm 16mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  figure, tr, .badge, dl { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .half { min-width: 0; }
}
"""
