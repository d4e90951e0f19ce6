"""`make lab`: install once, then open the course on the learner's copies in work/."""

import install  # first, because it tells in one sentence when this Python is too old

if __name__ == "__main__":
    install.go_on(install.ensure("book"), "-m", "fabricbook", "open", install.ROOT / "work")
