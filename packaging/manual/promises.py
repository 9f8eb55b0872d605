"""promises.py README [--check] - the README's tables of what `make verify` does.

Asks build/verify.sh in what its two builds differ and build/inspect.sh what it
promises, and writes both into the README's part `promises`. With --check nothing is
written; the exit status is 1 if the README says something else than the scripts.
"""

import os
import subprocess
import sys

sys.dont_write_bytecode = True
import readme  # noqa: E402

BUILD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build")


def listed(script):
    text = subprocess.run([os.path.join(BUILD, script), "--list"], check=True, stdout=subprocess.PIPE).stdout.decode()
    return [line.split("\t") for line in text.splitlines()]


def code(text):
    """A cell of a table, to be copied as it is."""
    return "`" + text.replace("|", "\\|") + "`"


def table(titles, rows):
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [titles, ["---"] * len(titles), *rows])


def main():
    paths = [word for word in sys.argv[1:] if word != "--check"]
    if len(paths) != 1:
        sys.exit(__doc__)
    builds = table(["", "first build", "second build"], listed("verify.sh"))
    promises = table(["promise", "by hand", "prints"],
                     [[name, code(command), code(pattern.strip("^$ "))] for name, pattern, command in listed("inspect.sh")])
    readme.put(paths[0], "promises", f"{builds}\n{promises}", "--check" in sys.argv)


if __name__ == "__main__":
    main()
