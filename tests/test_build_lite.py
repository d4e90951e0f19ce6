"""What goes into the site of the browser alone, as far as it can be told without building it."""

import doctest
import json
import zipfile

import build_lite
import pytest
from packaging.utils import canonicalize_name
from shipped import ROOT


def pins(path):
    lines = [line.split()[0].split("==") for line in path.read_text(encoding="utf-8").splitlines() if "==" in line]
    return {canonicalize_name(name): version for name, version in lines}


def test_examples():
    assert doctest.testmod(build_lite).failed == 0


def test_a_wheel_without_its_compiled_part_keeps_the_rest(tmp_path):
    wheel = tmp_path / "MarkupSafe-3.0.4-cp311-cp311-linux_x86_64.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("markupsafe/__init__.py", "markupsafe/_native.py", "markupsafe/_speedups.so", "markupsafe/_speedups.c"):
            archive.writestr(name, name)
    shorn = build_lite.shear(wheel, tmp_path)
    assert shorn.name == "MarkupSafe-3.0.4-py3-none-any.whl"
    assert zipfile.ZipFile(shorn).namelist() == ["markupsafe/__init__.py", "markupsafe/_native.py"]
    entry = build_lite.listed(shorn)
    assert (entry["name"], entry["version"], entry["imports"]) == ("markupsafe", "3.0.4", ["markupsafe"])


def test_pyodide_is_cut_down_to_what_is_needed_and_lists_the_course(tmp_path):
    def entry(name, *depends):
        return {"name": name, "file_name": f"{name}-1.whl", "depends": list(depends)}

    needed = {name: entry(name) for name in build_lite.NEEDED} | {"pandas": entry("pandas", "pytz"), "pytz": entry("pytz")}
    lock = {"packages": needed | {"scipy": entry("scipy", "numpy")}}
    with zipfile.ZipFile(tmp_path / "whole.whl", "w") as archive:
        archive.writestr("a/pyodide/pyodide-lock.json", json.dumps(lock))
        for name in ("pyodide.js", "pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"):
            archive.writestr(f"a/pyodide/{name}", name)
        for one in lock["packages"].values():
            archive.writestr(f"a/pyodide/{one['file_name']}", one["name"])
    wheels = [tmp_path / "fabriclib-0.1.0-py3-none-any.whl", tmp_path / "altair-6.3.0-py3-none-any.whl"]
    for wheel in wheels:
        wheel.write_bytes(b"")
    build_lite.lay_python(tmp_path / "out", tmp_path / "whole.whl", wheels, [])
    listed = json.loads((tmp_path / "out/pyodide-lock.json").read_text())["packages"]
    assert "scipy" not in listed
    assert {"pytz", "altair"} < set(listed)
    assert listed["fabriclib"]["depends"] == ["altair", "numpy", "packaging", "pandas"]
    assert listed["fabriclib"]["imports"] == ["fabriclib", "fabricbook"]
    assert all((tmp_path / "out" / one["file_name"]).exists() for one in listed.values())


@pytest.mark.parametrize(("mend", "folder", "other", "wrong", "right"), [
    (build_lite.let_boxes_hear_first, "build", "await d.start();await d.restored",
     "window.a=b,await y.start(),await y.restored}}", "window.a=b,await y.start({bubblingKeydown:!0}),await y.restored}}"),
    (build_lite.let_labs_start_late, "extensions/anywidget/static", "AbortSignal.timeout(3000)",
     "AbortSignal.timeout(3000);AbortSignal.timeout(2000)", "AbortSignal.timeout(3000);AbortSignal.timeout(600000)"),
    (build_lite.let_writers_finish, "extensions/@jupyter-widgets/jupyterlab-manager/static", "this.el.focus()",
     '"focus"===e.do?this.el.focus():"blur"===e.do&&this.el.blur()',
     '"focus"===e.do?(at=>at.matches("input,textarea,select,button,.cm-content")&&at.closest(".fl-course")!=='
     'this.el.closest(".fl-course"))(document.activeElement)||this.el.focus():"blur"===e.do&&this.el.blur()'),
    (build_lite.let_cells_wait, "build", "if(d.isTerminating)",
     'switch(e.model.type){case"markdown":e.rendered=!0,r({cell:e,success:!0});break;case"code":if(d){if(d.isTerminating){}',
     'switch(e.model.type){case"markdown":e.rendered=!0,r({cell:e,success:!0});break;case"code":if(d){'
     'd.session?.kernel||(e.model.executionState="running",await d._initStarted.promise,await d.initialize());'
     "if(e.isDisposed)return!1;if(d.isTerminating){}"),
])
def test_a_script_of_the_site_is_mended_or_missed(tmp_path, mend, folder, other, wrong, right):
    scripts = tmp_path / folder
    scripts.mkdir(parents=True)
    (scripts / "1.js").write_text(other, encoding="utf-8")
    with pytest.raises(ValueError, match="scripts must hold what .* finds"):
        mend(tmp_path)
    (scripts / "2.js").write_text(wrong, encoding="utf-8")
    mend(tmp_path)
    assert [path.read_text(encoding="utf-8") for path in sorted(scripts.iterdir())] == [other, right]


def test_the_browser_runs_the_versions_the_course_is_tested_with():
    tested = pins(ROOT / "constraints.txt")
    here = pins(build_lite.PINS / "pure.txt") | pins(build_lite.PINS / "shorn.txt")
    other = {name for name, version in here.items() if tested.get(name, version) != version}
    assert other == {"ipywidgets", "jsonschema", "jupyterlab-widgets"}  # each with its reason in the file
    builder = pins(build_lite.PINS / "builder.txt")
    assert all(here[name] == builder[name] for name in ("anywidget", "ipywidgets", "jupyterlab-widgets"))
