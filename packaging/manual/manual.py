"""manual.py ROWS DIRECTORY - manual pages and completions from the program's own rows.

ROWS is what `sluice manual` prints, one row a line, five fields between tabs:

    kind    option, subcommand, suboption, argument, fetch, converter, action,
            command; for keywords `keyword` if it works, else harmless or
            refused
    name    -f, timeout connect, src, lower, http-request deny, show info, ...;
            two spellings of a suboption stand between a comma
    where   sections or contexts, between commas, the subcommand of a suboption
            or argument; empty where it does not apply
    usage   the arguments as the manual writes them; may be empty
    doc     one sentence

DIRECTORY is a file tree below /: sluice.1 and sluice.cfg.5, and completions for
bash, zsh and fish are put where those look for them.
"""

import gzip
import os
import sys
import time
from collections import namedtuple

sys.dont_write_bytecode = True
import completions  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
Row = namedtuple("Row", "kind name where usage doc")
KINDS = ("option", "subcommand", "suboption", "argument", "keyword", "harmless", "refused", "fetch",
         "converter", "action", "command")


def read_rows(path):
    rows = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            fields = line.rstrip("\n").split("\t")
            if len(fields) != 5 or fields[0] not in KINDS:
                sys.exit(f"{path}:{number}: not a row: {line!r}")
            rows.append(Row(*fields))
    return rows


def roff(text):
    """Text with what roff would take for itself escaped, and all but ASCII by its number."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    text = "".join(sign if sign.isascii() else f"\\[u{ord(sign):04X}]" for sign in text)
    return "\\&" + text if text.startswith(".") else text


def entry(row, name, usage):
    """A tagged paragraph."""
    # Long lists of arguments may break after a comma.
    usage = roff(usage).replace(",", ",\\:")
    return [".TP", f".B {roff(name)}" + (f" \\fR{usage}\\fP" if usage else ""), roff(row.doc)]


def entries(rows, kind):
    """The rows of a kind as tagged paragraphs, a subcommand's followed by its options, further in."""
    out = []
    for row in sorted((row for row in rows if row.kind == kind), key=lambda row: row.name.lstrip("-").lower()):
        if kind == "subcommand":
            out += subcommand(rows, row)
            continue
        out += entry(row, row.name, row.usage)
        if row.where:
            out.append(f"({roff(row.where.replace(',', ', '))})")
    return out


def subcommand(rows, row):
    own = [own for own in rows if own.where == row.name and own.name != "--help"]
    out = entry(row, row.name, " ".join(own.usage for own in own if own.kind == "argument"))
    options = [option for option in own if option.kind == "suboption"]
    if options:
        out.append(".RS")
        for option in options:
            out += entry(option, option.name.replace(",", ", "), option.usage)
        out.append(".RE")
    return out


def date():
    return time.strftime("%Y-%m-%d", time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"])))


def listed(rows, kind):
    """The names of a kind in one paragraph."""
    names = sorted({row.name for row in rows if row.kind == kind})
    return [roff(", ".join(names) + ".")] if names else []


def page(template, rows):
    """The template; `@kind Title` becomes a section of that kind's rows, `@@kind Title` one of their names."""
    out = []
    with open(os.path.join(HERE, template), encoding="utf-8") as file:
        for line in file.read().splitlines():
            if not line.startswith("@"):
                out.append(line.replace("DATE", date()) if line.startswith(".TH") else line)
                continue
            kind, title = line.lstrip("@").split(" ", 1)
            body = listed(rows, kind) if line.startswith("@@") else entries(rows, kind)
            if body:
                out += [f".SH {title.upper()}", *body]
    return "\n".join(out) + "\n"


def write(path, text, packed=False):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    data = text.encode()
    with open(path, "wb") as file:
        file.write(gzip.compress(data, 9, mtime=0) if packed else data)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    rows = read_rows(sys.argv[1])
    share = os.path.join(sys.argv[2], "usr/share")
    line = completions.Line(rows)
    write(f"{share}/man/man1/sluice.1.gz", page("sluice.1", rows), packed=True)
    write(f"{share}/man/man5/sluice.cfg.5.gz", page("sluice.cfg.5", rows), packed=True)
    write(f"{share}/bash-completion/completions/sluice", completions.bash(line))
    write(f"{share}/zsh/vendor-completions/_sluice", completions.zsh(line))
    write(f"{share}/fish/vendor_completions.d/sluice.fish", completions.fish(line))


if __name__ == "__main__":
    main()
