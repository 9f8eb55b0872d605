"""The generated parts of the README, each between `<!-- generated: NAME -->` and `<!-- end -->`."""

import sys

END = "<!-- end -->\n"


def put(path, name, text, only_check):
    """Writes a part anew, or ends with status 1 if it is not yet this text."""
    begin = f"<!-- generated: {name} -->\n"
    with open(path, encoding="utf-8") as file:
        before = file.read()
    head, rest = before.split(begin)
    _, tail = rest.split(END, 1)
    after = head + begin + text + END + tail
    if only_check:
        sys.exit(0 if after == before else f"{path}: the part '{name}' is not current: make readme")
    with open(path, "w", encoding="utf-8") as file:
        file.write(after)
