"""Writes every export into a folder, to look at: ``python -m tests.exports FOLDER``."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from tests.exports import EXPORTS
from tests.exports.files import json_bytes


def main() -> None:
    """Write each export into a folder of its name, its truth beside the files, and an archive where it has several."""
    parser = argparse.ArgumentParser(prog="python -m tests.exports", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--vms", type=int, default=60, help="virtual machines in the estate, at least 20")
    chosen = parser.parse_args()
    for name, made in EXPORTS.items():
        export = made(chosen.seed, chosen.vms)
        export.write(chosen.folder / name)
        (chosen.folder / f"{name}.truth.json").write_bytes(json_bytes(asdict(export.truth)))
        if len(export.files) > 1:
            (chosen.folder / f"{name}.zip").write_bytes(export.as_zip())
        print(f"{name}: {', '.join(export.files)}")


if __name__ == "__main__":
    main()
