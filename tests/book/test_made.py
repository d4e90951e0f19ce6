"""A build takes the place of an earlier one, and of nothing else."""

from __future__ import annotations

import build_book
import build_handout
import build_slides
import pytest
from book.made import empty


@pytest.mark.parametrize("build", [
    lambda folder: build_book.main(["--pictures", "--site", folder]), lambda folder: build_slides.main(["--into", folder]),
    lambda folder: build_handout.main(["--into", folder])], ids=["book", "slides", "handout"])
def test_a_folder_that_no_build_has_made_is_left_alone(tmp_path, monkeypatch, build):
    for tool in (build_book, build_slides, build_handout):
        monkeypatch.setattr(tool, "write", lambda *_: pytest.fail("it goes on"))
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(SystemExit, match="holds what no build has made, and a build would delete it; name another"):
        build(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("before", [(), ("01_moving_bytes.pdf",), (".buildinfo", "01_moving_bytes.html")],
                         ids=["nothing", "sheets", "a build that was killed"])
def test_what_a_build_has_made_is_removed_but_for_what_is_made_apart(tmp_path, before):
    for name in before:
        (tmp_path / name).write_text("", encoding="utf-8")
    (tmp_path / "lite").mkdir()
    empty(tmp_path, "lite")
    empty(tmp_path / "none yet")
    assert [path.name for path in tmp_path.iterdir()] == ["lite"]
