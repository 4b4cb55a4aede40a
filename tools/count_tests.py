"""Prints "N passed, N failed" for a JUnit file written by ctest; exits with 1 when any failed."""

import sys
import xml.etree.ElementTree


def is_skip(case: xml.etree.ElementTree.Element) -> bool:
    """True for a test that chose not to run; a test whose program is missing has failed instead."""
    skipped = case.find("skipped")
    return skipped is not None and skipped.get("message", "").startswith("SKIP_")


def main() -> int:
    passed = failed = skipped = 0
    for case in xml.etree.ElementTree.parse(sys.argv[1]).getroot().iter("testcase"):
        status = case.get("status")
        if status == "run":
            passed += 1
        elif status == "disabled" or is_skip(case):
            skipped += 1
        else:
            failed += 1
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
