"""The demo really tells its story: on rendered citizens, and on photographs that are no people at all it says so."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from demo.cast import cast
from demo.service import DemoDeployment
from demo.story import Story
from idverify.errors import InvalidInput


def test_the_story_holds_on_rendered_citizens(tmp_path: Path, model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDVERIFY_MODEL_DIR", str(model_dir))
    told = io.StringIO()
    Story(DemoDeployment(tmp_path), cast(None, most=8), Console(file=told, width=110)).play()
    text = told.getvalue()
    assert "enrolled │ 8" in text
    assert "somebody else              │ 0     │ 8 " in text
    assert "GHOST-1: needs_review possible_duplicate" in text
    assert "The face is that of C-10003 (it is C-10003)" in text
    assert "against their number now: no_match. A search finds nobody" in text
    assert "The audit log verifies" in text


@pytest.mark.parametrize("what", ["missing", "empty"])
def test_a_folder_without_people_is_refused_with_what_was_expected(tmp_path: Path, what: str) -> None:
    with pytest.raises(InvalidInput, match=r"PHOTOS=.*folder"):
        cast(tmp_path / "nowhere" if what == "missing" else tmp_path)
