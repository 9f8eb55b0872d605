"""differences.py README [--check] - the README's table of where sluice differs from HAProxy.

Where the code does on purpose what HAProxy does not, a comment says so: `// haproxy, WHERE: WHAT; here: WHAT, because WHY.`
These comments are the table. With --check nothing is written; the exit status is 1 if the README says something else.
"""

import os
import re
import sys

sys.dont_write_bytecode = True
import readme  # noqa: E402

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src")
# A comment that begins so, with the comment lines behind it.
COMMENT = re.compile(r"^[ \t]*// (haproxy, .*(?:\n[ \t]*// .*)*)", re.MULTILINE)
SAID = re.compile(r"haproxy, (.+?): (.+?); here: (.+)")


def comments():
    """All of them, with the file that each is in."""
    for folder, _, names in os.walk(SOURCE):
        for name in names:
            path = os.path.join(folder, name)
            if not name.endswith(".rs"):
                continue
            with open(path, encoding="utf-8") as file:
                for found in COMMENT.finditer(file.read()):
                    yield path, re.sub(r"\s*\n[ \t]*// ", " ", found.group(1))


def row(path, comment):
    said = SAID.fullmatch(comment)
    if not said:
        sys.exit(f"{path}: not `haproxy, WHERE: WHAT; here: WHAT`: {comment}")
    where, theirs, ours = (part.replace("|", "\\|") for part in said.groups())
    return f"| {where[0].upper()}{where[1:]} | {theirs} | {ours.rstrip('.')} |\n"


def main():
    paths = [word for word in sys.argv[1:] if word != "--check"]
    if len(paths) != 1:
        sys.exit(__doc__)
    rows = sorted((row(*comment) for comment in comments()), key=lambda text: text.lower().replace("`", ""))
    text = "| where | HAProxy | sluice |\n| --- | --- | --- |\n" + "".join(rows)
    readme.put(paths[0], "differences", text, "--check" in sys.argv)


if __name__ == "__main__":
    main()
