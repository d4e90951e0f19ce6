"""Build fabricbook/stage/static/vega.js: Vega, Vega-Lite and vega-embed in one JavaScript module.

It runs in two ways: as hatchling's build hook (pyproject.toml), for wheels and editable installs alike, and as a
script, `python tools/bundle_vega.py`. vl-convert carries the libraries in its own wheel, so nothing is fetched.
"""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a script, where hatchling need not be installed
    BuildHookInterface = object

VEGA_LITE = "6.4"
TARGET = Path(__file__).parent.parent / "fabricbook" / "stage" / "static" / "vega.js"


def build(target: Path = TARGET) -> Path:
    """Write the bundle unless the one already there was made by the same versions; return its path."""
    import vl_convert

    stamp = f"// Vega-Lite {VEGA_LITE}, bundled by vl-convert {metadata.version('vl-convert-python')}\n"
    if target.exists() and target.read_text(encoding="utf-8").startswith(stamp):
        return target
    bundle = vl_convert.javascript_bundle("export { vegaEmbed };", vl_version=VEGA_LITE)
    target.parent.mkdir(parents=True, exist_ok=True)
    half_written = target.with_suffix(f".{os.getpid()}.part")
    half_written.write_text(stamp + bundle, encoding="utf-8")
    os.replace(half_written, target)
    return target


class BundleVega(BuildHookInterface):
    """The hook hatchling calls before it packs a wheel, an editable wheel or a source archive."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict) -> None:
        build()


if __name__ == "__main__":
    path = build()
    print(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
