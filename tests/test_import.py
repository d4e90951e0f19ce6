"""The house: `import fabriclib` is light, and no module reaches into a room above its own."""

import ast
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import jedi
import pytest
from patience import PATIENCE

import fabriclib as fl

ROOT = Path(__file__).parents[1]
HEAVY = ("pandas", "ipywidgets", "altair", "anywidget", "IPython", "vl_convert", "jupyterlab", "matplotlib", "scipy", "networkx")


def python(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)


def test_import_loads_nothing_but_the_standard_library_and_who_loads_the_rest():
    found = python("""
import sys
before = set(sys.modules)
import fabriclib
print(sorted({name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names))""")
    assert found.stdout == "['fabriclib', 'lazy_loader']\n", found.stdout + found.stderr


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


def test_every_module_of_the_model_needs_numpy_and_the_standard_library_only():
    files = [path.relative_to(ROOT).with_suffix("").parts for path in (ROOT / "fabriclib").rglob("*.py")]
    model = sorted(".".join(parts).removesuffix(".__init__") for parts in files if parts[1] not in ("labs", "course"))
    assert len(model) > 90
    found = python(f"""
import importlib, sys
before = set(sys.modules)
for name in {model}:
    importlib.import_module(name)
print(sorted({{name.partition(".")[0] for name in set(sys.modules) - before}} - sys.stdlib_module_names))""")
    assert found.stdout == "['fabriclib', 'lazy_loader', 'numpy']\n", found.stdout + found.stderr


def test_no_arrow_points_back():
    """The layer contracts of pyproject.toml, as import-linter reads them."""
    found = python("from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "0 broken" in found.stdout


def test_every_public_name_is_there_and_explained():
    for name in fl.__all__:
        assert getattr(fl, name).__doc__, name
    assert set(dir(fl)) == set(fl.__all__)


def test_the_stub_is_the_list_of_public_names():
    stub = ast.parse((ROOT / "fabriclib" / "__init__.pyi").read_text(encoding="utf-8"))
    aliases = [alias for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(alias.name for alias in aliases) == sorted(fl.__all__)
    assert all(alias.asname == alias.name for alias in aliases)  # or else a type checker takes the name for a private one


def test_a_function_stays_itself_when_its_module_of_the_same_name_is_loaded():
    found = python("""
import fabriclib.links, fabriclib.switches, fabriclib as fl
print(fl.links.__module__, fl.switches.__module__)""")
    assert found.stdout == "fabriclib.links fabriclib.switches\n", found.stderr


def test_the_version_is_the_installed_one():
    assert fl.__version__ == version("fabriclib")
    with pytest.raises(AttributeError, match="no_such_name"):
        fl.no_such_name  # noqa: B018


def test_an_editor_sees_the_names_behind_the_lazy_import():
    project = jedi.Project(ROOT)
    for written, completed in (("fl.predi", "predict"), ("fl.con", "congestion"), ("fl.link('nvlink4').bandw", "bandwidth")):
        script = jedi.Script(f"import fabriclib as fl\n{written}", path=ROOT / "written.py", project=project)
        assert completed in [name.name for name in script.complete()]


def test_a_type_checker_sees_the_names_and_what_they_give(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("""
import fabriclib as fl
reveal_type(fl.predict("dgx-h100", "all_reduce", 2**30))
reveal_type(fl.link("nvlink4").bundle(18).bandwidth())
reveal_type(fl.server("hgx-h100").paths("gpu0", "gpu1"))
fl.predikt
""")
    found = subprocess.run([sys.executable, "-m", "mypy", str(script)], cwd=ROOT, capture_output=True, text=True,
                           timeout=PATIENCE)
    told = [line.partition(": ")[2] for line in found.stdout.splitlines()]
    assert told[:3] == ['note: Revealed type is "fabriclib.prediction.model.Prediction"',
                        'note: Revealed type is "float"', 'note: Revealed type is "list[tuple[str, ...]]"'], found.stdout
    assert told[3].startswith('error: Module has no attribute "predikt"'), found.stdout


def test_a_lab_and_a_verdict_load_the_lesson_that_has_them_and_no_other():
    found = python("""
import sys
from fabricbook.lessons import ORDER, find
find("labs", "nvlink-ladder"), find("verdicts", "a")
print(sorted(name for name in ORDER if f"fabricbook.lessons.{name}" in sys.modules))""")
    assert found.stdout == "['moving_bytes', 'start_here']\n", found.stdout + found.stderr


def test_the_course_says_what_it_needs_where_only_the_model_is_installed():
    found = python("import sys; sys.modules['ipywidgets'] = None; import fabriclib; import fabricbook")
    assert found.stderr.endswith('ImportError: The course needs ipywidgets, which the model does without: '
                                 'pip install "fabriclib[book]"\n')
