"""support.py PROGRAM README [--check] - the README's table of what works.

Asks `PROGRAM manual` for the rows and writes them into the README's part `support`.
With --check nothing is written; the exit status is 1 if the README says something
else than the program.
"""

import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
import readme  # noqa: E402

PLACES = ("global", "defaults", "frontend", "backend", "userlist", "resolvers", "peers", "mailers", "cache",
          "http-errors", "ring", "log-forward", "program", "crt-store", "bind", "server")
TITLES = {"bind": "parameters of `bind`", "server": "parameters of `server`"}
KINDS = (("keyword", "work"), ("harmless", "concern nothing that sluice has"), ("refused", "are refused by name"))
LISTS = (("fetch", "Sample fetches"), ("converter", "Converters"), ("action", "Actions"),
         ("command", "Commands of the statistics socket"))


def rows(program):
    text = subprocess.run([program, "manual"], check=True, stdout=subprocess.PIPE).stdout.decode()
    return [line.split("\t") for line in text.splitlines()]


def names(found, kind, place=None):
    return sorted({row[1] for row in found if row[0] == kind and (place is None or place in row[2].split(","))})


def details(title, members):
    listed = ", ".join(f"`{name}`" for name in members)
    return f"<details><summary>{title} ({len(members)})</summary>\n\n{listed}\n\n</details>\n"


def shown(root):
    """How many keywords public configurations use, and how many of them have a test that shows their effect."""
    with open(os.path.join(root, "tests/keywords/used.tsv"), encoding="utf-8") as file:
        used = len(file.readlines()) - 1
    with open(os.path.join(root, "src/stream/effects.rs"), encoding="utf-8") as file:
        least = int(re.search(r"const SHOWN_MIN: usize = (\d+);", file.read())[1])
    return (f"Public configurations (238 of them) use {used} words and forms of the language; {least} have a test "
            "that fails when the word loses its effect.\n")


def table(found):
    out = ["Every keyword of HAProxy is known by name. Of them\n",
           "| in | " + " | ".join(title for _, title in KINDS) + " |",
           "|---|" + "---:|" * len(KINDS)]
    present = [place for place in PLACES if names(found, "keyword", place)]
    for place in present:
        counts = " | ".join(str(len(names(found, kind, place))) for kind, _ in KINDS)
        out.append(f"| {TITLES.get(place, f'`{place}`')} | {counts} |")
    out.append("")
    for place in present:
        out.append(details(f"{TITLES.get(place, place).replace('`', '')}: what works", names(found, "keyword", place)))
    for kind, title in LISTS:
        if names(found, kind):
            out.append(details(title, names(found, kind)))
    return "\n".join(out)


def main():
    arguments = [word for word in sys.argv[1:] if word != "--check"]
    if len(arguments) != 2:
        sys.exit(__doc__)
    program, path = arguments
    root = os.path.dirname(os.path.abspath(path))
    readme.put(path, "support", shown(root) + "\n" + table(rows(program)), "--check" in sys.argv)


if __name__ == "__main__":
    main()
