#include "trainer/report/chart.h"

namespace casvit::trainer {

std::string chart_style() {
  return R"css(
.cv-paper{fill:#fff}
.cv-title,.cv-name,.cv-tick,.cv-cell{font-family:Inter,system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#5c6661}
.cv-title{font-size:14px;font-weight:600;fill:#1d2421}
.cv-name{font-size:12.5px}
.cv-tick,.cv-cell{font-size:11.5px;font-variant-numeric:tabular-nums}
.cv-cell{fill:#1d2421}
.cv-strong{fill:#fff}
.cv-grid{stroke:#e7e5df;stroke-width:1}
.cv-line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.cv-line.cv-main{stroke:#2b7a58}.cv-dot.cv-main,.cv-block.cv-main{fill:#2b7a58}
.cv-line.cv-other{stroke:#6677a3}.cv-dot.cv-other,.cv-block.cv-other{fill:#6677a3}
.cv-line.cv-train{stroke:#a8742a;stroke-width:1.6}.cv-dot.cv-train,.cv-block.cv-train{fill:#a8742a}
.cv-band{fill:#c08a3e;opacity:.16}
.cv-bar{fill:#2b7a58;opacity:.22}
.cv-tint{fill:#f3f6f3}.cv-hit{fill:#2b7a58}.cv-miss{fill:#c45438}
@media (max-width:640px){.cv-title{font-size:17px}.cv-name{font-size:15px}.cv-tick{font-size:15px}}
@media screen and (prefers-color-scheme:dark){
.cv-paper{fill:#1a1e1c}
.cv-title,.cv-cell{fill:#e9ecea}.cv-strong{fill:#0e1210}.cv-name,.cv-tick{fill:#a2ada7}.cv-grid{stroke:#2b312e}
.cv-line.cv-main{stroke:#66c79d}.cv-dot.cv-main,.cv-block.cv-main{fill:#66c79d}
.cv-line.cv-other{stroke:#93a5d0}.cv-dot.cv-other,.cv-block.cv-other{fill:#93a5d0}
.cv-line.cv-train{stroke:#dcab62}.cv-dot.cv-train,.cv-block.cv-train{fill:#dcab62}.cv-band{fill:#dcab62}
.cv-bar{fill:#66c79d}.cv-tint{fill:#202623}.cv-hit{fill:#54ba8e}.cv-miss{fill:#e87e5e}}
)css";
}

}  // namespace casvit::trainer
