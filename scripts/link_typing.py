"""Build `build/typing/dlc`: links that show type checkers the installed package layout.

The stage folders stand at the top of the repository and install as `dlc.<stage>`; mypy cannot
read the editable finder that makes this work at run time, so it is given a tree of links.
"""

import shutil
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TREE = ROOT / "build" / "typing" / "dlc"


def main() -> None:
    """Recreate the link tree from `package-dir` in pyproject.toml."""
    package_dir = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-dir"]
    shutil.rmtree(TREE, ignore_errors=True)
    TREE.mkdir(parents=True)
    for child in (ROOT / package_dir["dlc"]).iterdir():
        if child.name != "__pycache__":
            (TREE / child.name).symlink_to(child)
    for package, folder in package_dir.items():
        if package != "dlc":
            (TREE / package.removeprefix("dlc.")).symlink_to(ROOT / folder)


if __name__ == "__main__":
    main()
