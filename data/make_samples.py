"""Make the samples: ``python data/make_samples.py [FOLDER]``, into this folder if none is given.

The same versions of Python and xlsxwriter write the same bytes each time.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _company_samples
import _rvtools_estate
import _rvtools_sheets
import _rvtools_truth
import _workbook

HERE = Path(__file__).resolve().parent


def make(folder: Path) -> dict:
    """Write the three workbooks and truth.json into `folder`, and return what truth.json holds."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = {
        "small_company": _company_samples.small_company(),
        "medium_estate": _company_samples.medium_estate(),
    }
    for name, tables in samples.items():
        _workbook.write_template(folder / f"{name}.xlsx", tables)
    estate = _rvtools_estate.make_estate()
    _rvtools_sheets.write_export(folder / "rvtools_800.xlsx", estate)
    truth = {name: _company_samples.totals(tables) for name, tables in samples.items()}
    truth["rvtools_800"] = _rvtools_truth.totals(estate)
    (folder / "truth.json").write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8")
    return truth


def main(arguments: list[str]) -> None:
    """Make the samples and print what is true of them."""
    folder = Path(arguments[0]) if arguments else HERE
    print(json.dumps(make(folder), indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
