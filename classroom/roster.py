"""Who is in the class: `roster.py add names.txt` makes a user of this machine of each name, and prints their passwords once.

    add names.txt         one name a line; whoever is in the class already is left as they are
    password names.txt    give each a new password, and print it
    remove names.txt      take each out of the class, with their files

`-` in place of a file reads the names from the standard input. The system keeps the passwords, hashed; no copy is written.
"""

import argparse
import grp
import os
import pwd
import re
import secrets
import subprocess
import sys

CLASS = "classroom"  # the group of all of them
NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is read as another


def password() -> str:
    """Return a new password that is read off a slip of paper: 59 bits in three groups."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))


def names_in(text: str) -> list[str]:
    """Return the names in *text*, one a line, each once; a line that begins with # is none.

    Raises:
        ValueError: a line is no name of a user.

    >>> names_in("# Monday\\nmaria\\n\\njan-2\\nmaria\\n")
    ['maria', 'jan-2']
    """
    names = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for name in names:
        if not NAME.fullmatch(name):
            raise ValueError(f"name must be at most 31 small letters, digits and hyphens, the first a letter; got {name!r}.")
    return list(dict.fromkeys(names))


def in_class(name: str) -> bool:
    """Whether the user *name* was made for the class.

    Raises:
        ValueError: there is such a user, but not of the class: none of ours to touch.
    """
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    if name not in _members():
        raise ValueError(f"name {name!r} is a user of this machine who is not in the class; choose another.")
    return True


def add(names: list[str]) -> dict[str, str]:
    """Make a user of each of *names* that is not in the class yet, or of none; return their passwords."""
    _run("groupadd", "--force", CLASS)
    new, made = [name for name in names if not in_class(name)], []
    try:
        for name in new:
            _run("useradd", "--create-home", "--key", "HOME_MODE=0700", "--user-group", "--shell", "/usr/sbin/nologin",
                 "--groups", CLASS, name)
            made.append(name)
        return _passwords(new)
    except BaseException:  # called again, it would take them for users whose passwords were printed
        for name in made:
            _run("userdel", "--remove", name)
        raise


def renew(names: list[str]) -> dict[str, str]:
    """Give each of *names* a new password, and return them."""
    return _passwords(_known(names))


def remove(names: list[str]) -> None:
    """Remove the users *names* and their files."""
    for name in _known(names):
        subprocess.run(["pkill", "--signal", "KILL", "--uid", name], check=False)  # userdel refuses who still runs something
        _run("userdel", "--remove", name)


def _known(names: list[str]) -> list[str]:
    if strangers := [name for name in names if not in_class(name)]:
        raise ValueError(f"name {strangers[0]!r} is not in the class.")
    return names


def _passwords(names: list[str]) -> dict[str, str]:
    made = {name: password() for name in names}
    if made:
        _run("chpasswd", given="".join(f"{name}:{word}\n" for name, word in made.items()))
    return made


def _members() -> list[str]:
    try:
        return grp.getgrnam(CLASS).gr_mem
    except KeyError:
        return []


def _run(*command: str, given: str = "") -> None:
    done = subprocess.run(command, input=given, text=True, capture_output=True)
    if done.returncode:
        raise OSError(f"{command[0]} did not succeed: {done.stderr.strip()}")


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line asks; leave with a sentence if that cannot be done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["add", "password", "remove"])
    parser.add_argument("names", type=argparse.FileType(encoding="utf-8"))
    asked = parser.parse_args(arguments)
    if os.geteuid() != 0:
        sys.exit("Only root makes users: call this with sudo.")
    try:
        names = names_in(asked.names.read())
        if asked.what == "remove":
            remove(names)
        else:
            made = add(names) if asked.what == "add" else renew(names)
            print("\n".join(f"{name:<32}{word}" for name, word in made.items()))
    except (ValueError, OSError) as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
