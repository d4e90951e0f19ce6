"""The picture in docs/architecture.md is the order of rooms that pyproject.toml holds."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_rooms_of_the_picture_are_the_layers():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    ordered = [one for one in contracts if one["type"] == "layers"]
    layers = {one["containers"][0]: [layer.split(" | ") for layer in one["layers"]] for one in ordered}
    drawn = dict(re.findall(r"subgraph (\w+)\n(.*?)\n    end", PAGE, flags=re.DOTALL))
    assert {package: [room.split(" · ") for room in re.findall(r'"(.+?)"', text)] for package, text in drawn.items()} == layers
