#include "trainer/report/page.h"

namespace casvit::trainer {

std::string page_style() {
  return R"css(
:root{--paper:#f6f5f1;--card:#fff;--ink:#1d2421;--soft:#69736e;--line:#e7e5df;--tint:#f3f6f3;
--hit:43 122 88;--miss:196 84 56;--accent:#2b7a58;--warn:#b04a2f;--shadow:0 1px 2px rgb(30 36 33/.05),0 6px 24px rgb(30 36 33/.04)}
@media (prefers-color-scheme:dark){:root{--paper:#121513;--card:#1a1e1c;--ink:#e9ecea;--soft:#98a39d;--line:#2b312e;
--tint:#202623;--hit:84 186 142;--miss:232 126 94;--accent:#66c79d;--warn:#ec9477;--shadow:none}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.55 Inter,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
font-variant-numeric:tabular-nums}
main{max-width:1120px;margin:0 auto;padding:52px 32px 80px}
header{margin:0 0 28px}
.overline{margin:0 0 6px;color:var(--soft);font-size:12.5px;letter-spacing:.09em;text-transform:uppercase}
h1{margin:0;font-size:28px;line-height:1.25;font-weight:650;letter-spacing:-.015em;overflow-wrap:anywhere}
h2{margin:0 0 18px;font-size:17px;font-weight:650;letter-spacing:-.005em}
h2+.lead{margin-top:-12px}
.lead{margin:0 0 20px;color:var(--soft);max-width:68ch}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:28px 30px;margin:0 0 20px;box-shadow:var(--shadow)}
.headline{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1.15fr);gap:24px 48px;align-items:center}
.big{margin:0;font-size:80px;line-height:1;font-weight:650;letter-spacing:-.045em;color:var(--accent)}
.big small{font-size:.42em;font-weight:600;letter-spacing:-.01em;margin-left:.06em}
.big-name{margin:10px 0 14px;font-weight:600}
.split{height:8px;border-radius:4px;background:rgb(var(--miss)/.28);overflow:hidden}
.split i{display:block;height:100%;background:var(--accent);border-radius:4px 0 0 4px}
.note{margin:12px 0 0;color:var(--soft);font-size:13.5px}
.facts{grid-column:1/-1;display:grid;grid-template-columns:repeat(auto-fit,minmax(132px,1fr));gap:18px 24px;margin:0;padding-top:24px;border-top:1px solid var(--line)}
.facts dt{color:var(--soft);font-size:13px}
.facts dd{margin:1px 0 0;font-size:19px;font-weight:600;letter-spacing:-.01em}
table{border-collapse:collapse;width:100%}
th,td{padding:8px 12px;text-align:right;font-weight:400;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{text-align:left;padding-left:0}
th:last-child,td:last-child{padding-right:0}
thead th{color:var(--soft);font-size:13px}
tbody tr:last-child>*{border-bottom:0}
tfoot th,tfoot td{border-bottom:0;color:var(--soft)}
tfoot tr:first-child>*{border-top:1px solid var(--line)}
.weights tbody tr.chosen>*{font-weight:600}
.charts{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:28px 36px}
figure{margin:0}
figure svg{display:block;width:100%;height:auto}
.scroll{overflow:auto}
.scroll.tall{max-height:680px}
.long thead th{position:sticky;top:0;background:var(--card)}
.matrix{width:auto;margin:0 auto;border-collapse:separate;border-spacing:2px}
.matrix th,.matrix td{border:0;padding:0}
.matrix thead th{vertical-align:bottom;height:1px}
.matrix thead span{display:block;writing-mode:vertical-rl;transform:rotate(180deg);margin:0 auto;padding:6px 0 0;max-height:170px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;line-height:1.2}
.matrix th{font-size:13px;color:var(--soft)}
.matrix tbody th{text-align:right;padding-right:10px;max-width:200px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;position:sticky;left:0;background:var(--card)}
.matrix td{width:46px;min-width:46px;height:38px;text-align:center;font-size:13px;border-radius:5px;background:var(--tint)}
.matrix td.h{background:rgb(var(--hit)/var(--a))}
.matrix td.m{background:rgb(var(--miss)/var(--a))}
.matrix td.s{color:#fff}
@media (prefers-color-scheme:dark){.matrix td.s{color:#0e1210}}
.matrix.dense{border-spacing:1px}
.matrix.dense td{width:24px;min-width:24px;height:22px;font-size:10.5px;border-radius:3px}
.matrix.dense th{font-size:11.5px}
.two{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1.2fr);gap:20px}
.two .card{margin:0}.two{margin:0 0 20px}
.pair{display:grid;grid-template-columns:1fr auto;gap:2px 14px;padding:9px 0;border-bottom:1px solid var(--line)}
.pair:last-child{border-bottom:0}
.pair b{font-weight:600}
.pair .as{color:var(--soft)}
.pair .count{font-weight:600}
.pair .path{grid-column:1/-1;color:var(--soft);font:12.5px/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.bar{display:inline-block;vertical-align:middle;width:84px;height:6px;border-radius:3px;background:var(--tint);margin-right:14px;overflow:hidden}
.bar i{display:block;height:100%;background:var(--accent);border-radius:3px}
.weak{color:var(--warn)}
details{border-bottom:1px solid var(--line);padding:12px 0}
details:last-child{border-bottom:0;padding-bottom:0}
details:first-of-type{padding-top:0}
summary{cursor:pointer;font-weight:600}
details dl{display:grid;grid-template-columns:minmax(120px,auto) 1fr;gap:6px 24px;margin:14px 0 6px;font-size:14px}
details dt{color:var(--soft)}
details dd{margin:0;overflow-wrap:anywhere}
pre{margin:14px 0 6px;padding:16px 18px;background:var(--tint);border-radius:10px;overflow:auto;font:12.5px/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
@media (max-width:900px){.two,.headline{grid-template-columns:minmax(0,1fr)}}
@media (max-width:640px){
main{padding:28px 14px 48px}
h1{font-size:22px}
.card{padding:20px 18px;border-radius:12px;margin-bottom:14px}
.two{gap:14px;margin-bottom:14px}
.big{font-size:64px}
.charts{grid-template-columns:minmax(0,1fr);gap:22px}
.facts{grid-template-columns:1fr 1fr}
th,td{padding:7px 6px}
.classes{font-size:13px}
.classes th:first-child{max-width:120px;overflow-wrap:anywhere}
.bar{display:none}
.matrix:not(.dense){border-spacing:1px;width:100%;table-layout:fixed}
.matrix:not(.dense) td{width:auto;min-width:0;height:24px;font-size:10px;border-radius:3px}
.matrix:not(.dense) thead th:first-child{width:27%}
.matrix th{font-size:11px}
.matrix tbody th{padding-right:5px}
.matrix.dense tbody th{max-width:108px}
.matrix thead span{max-height:120px}
}
@media print{body{background:#fff}.card{box-shadow:none;break-inside:avoid}.scroll{max-height:none}}
)css";
}

}  // namespace casvit::trainer
