"""How a refusal is held to what every refusal is to say."""

from __future__ import annotations

import pytest


def refused(named: str):
    """Expect a ValueError that says *named*: the name of an argument begins the sentence, more than a word is found anywhere."""
    return pytest.raises(ValueError, match=f"^{named} " if named.isidentifier() else named)
