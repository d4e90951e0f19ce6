"""The house: `import fabriclib` is light, and no module reaches into a room above its own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAVY = ("pandas", "ipywidgets", "altair", "anywidget", "IPython", "vl_convert", "jupyterlab", "matplotlib", "scipy", "networkx")


def python(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_import_loads_numpy_and_the_standard_library_only():
    found = python(f"import sys, fabriclib; print([name for name in {HEAVY} if name in sys.modules])")
    assert found.stdout == "[]\n", found.stdout + found.stderr


def test_the_model_works_without_the_heavy_packages():
    """With imports of them failing, costs, schedules and links still answer."""
    code = f"""
import sys
sys.modules.update(dict.fromkeys({HEAVY}))
import fabriclib as fl
assert fl.best("all_reduce", nbytes=1e6, ranks=8, alpha=1e-6, beta=2e-11).why
assert fl.schedule("all_reduce", "ring", ranks=4).run([[1], [2], [3], [4]])[0] == [10]
assert fl.link("nvlink4").bandwidth()
print("ok")"""
    found = python(code)
    assert found.stdout == "ok\n", found.stderr


def test_every_module_of_the_model_loads_numpy_and_the_standard_library_only():
    files = [path.relative_to(ROOT).with_suffix("").parts for path in (ROOT / "fabriclib").rglob("*.py")]
    model = sorted(".".join(parts).removesuffix(".__init__") for parts in files if parts[1] not in ("labs", "course"))
    assert len(model) > 90
    found = python(f"""
import importlib, sys
before = set(sys.modules)
for name in {model}:
    importlib.import_module(name)
print(sorted({{name.partition(".")[0] for name in set(sys.modules) - before}} - sys.stdlib_module_names))""")
    assert found.stdout == "['fabriclib', 'numpy']\n", found.stdout + found.stderr


def test_no_arrow_points_back():
    """The layer contracts of pyproject.toml, as import-linter reads them."""
    found = python("from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "0 broken" in found.stdout


def test_every_public_name_is_there_and_explained():
    import fabriclib as fl

    assert len(set(fl.__all__)) == len(fl.__all__)
    for name in fl.__all__:
        assert getattr(fl, name).__doc__, name
    assert set(fl.__all__) <= set(dir(fl)) | {"lab", "labs"}
