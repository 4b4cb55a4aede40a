"""Prints the accuracies in a run's report and where the report is: print_accuracy.py RUN/report"""

import json
import pathlib
import sys


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    print()
    print(f"validation photographs: {report['samples']} in {len(report['classes'])} classes")
    for key, name in (("ema", "averaged weights"), ("model", "last weights")):
        if report.get(key):
            print(f"accuracy, {name}: {report[key]['acc1']:.1f}% (top 5: {report[key]['acc5']:.1f}%)")
    print(f"report: {folder / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
