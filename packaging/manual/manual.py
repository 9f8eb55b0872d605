"""manual.py ROWS DIRECTORY - manual pages and completions from the program's own rows.

ROWS is what `sluice manual` prints, one row a line, five fields between tabs:

    kind    option, subcommand, fetch, converter, action, command; for keywords
            `keyword` if it works, else harmless, pending or refused
    name    -f, timeout connect, src, lower, http-request deny, show info, ...
    where   sections or contexts, between commas; empty where it does not apply
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

HERE = os.path.dirname(os.path.abspath(__file__))
Row = namedtuple("Row", "kind name where usage doc")
KINDS = ("option", "subcommand", "keyword", "harmless", "pending", "refused", "fetch", "converter", "action", "command")

# Arguments of options that are files or directories, and subcommands that read files; the shells complete those.
FILES = ("<file|dir>", "<file>", "<dir>", "<socket>")
READERS = ("check", "explain", "fmt", "migrate")


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


def entries(rows, kind):
    """The rows of a kind as tagged paragraphs."""
    out = []
    for row in sorted((row for row in rows if row.kind == kind), key=lambda row: row.name.lstrip("-").lower()):
        out.append(".TP")
        # Long lists of arguments may break after a comma.
        usage = roff(row.usage).replace(",", ",\\:")
        out.append(f".B {roff(row.name)}" + (f" \\fR{usage}\\fP" if usage else ""))
        out.append(roff(row.doc))
        if row.where:
            out.append(f"({roff(row.where.replace(',', ', '))})")
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


def bash(options, commands):
    files = "|".join(name for name, row in options.items() if row.usage in FILES)
    others = "|".join(name for name, row in options.items() if row.usage and row.usage not in FILES)
    return f"""# bash completion of sluice
_sluice() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
    COMPREPLY=()
    case $before in
        {files}) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        {others}) return ;;
    esac
    case ${{COMP_WORDS[1]}} in
        {"|".join(READERS)})
            if [[ $COMP_CWORD -gt 1 ]]; then
                compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return
            fi ;;
    esac
    case $COMP_CWORD in
        1) mapfile -t COMPREPLY < <(compgen -W '{" ".join([*options, *commands])}' -- "$word") ;;
        *) mapfile -t COMPREPLY < <(compgen -W '{" ".join(options)}' -- "$word") ;;
    esac
}}
complete -F _sluice sluice
"""


def quoted(text):
    """Between single quotes, as all of these shells read it."""
    return text.replace("'", "'\\''")


def zsh(options, commands):
    lines = ["#compdef sluice", "local state", "_arguments \\"]
    for name, row in options.items():
        doc = quoted(row.doc).replace("[", "\\[").replace("]", "\\]")
        argument = f":{quoted(row.usage)}:" + ("_files" if row.usage in FILES else "") if row.usage else ""
        lines.append(f"    '*{name}[{doc}]{argument}' \\")
    lines += ["    '1:subcommand:->subcommand' '*:: :->rest' && return", "case $state in", "subcommand)"]
    lines.append("    local -a subcommands=(")
    lines += [f"        '{name}:{quoted(row.doc)}'" for name, row in commands.items()]
    lines += ["    )", "    _describe subcommand subcommands ;;"]
    lines += ["rest)", f"    case $words[1] in {'|'.join(READERS)}) _files ;; esac ;;", "esac"]
    return "\n".join(lines) + "\n"


def fish(options, commands):
    lines = ["# fish completion of sluice", "complete -c sluice -f"]
    for name, row in options.items():
        if name.startswith("--"):
            flag = f"-l {name[2:]}"
        else:
            flag = f"-o {name[1:]}" if len(name) > 2 else f"-s {name[1:]}"
        extra = " -r -F" if row.usage in FILES else (" -x" if row.usage else "")
        lines.append(f"complete -c sluice {flag}{extra} -d '{quoted(row.doc)}'")
    for name, row in commands.items():
        lines.append(f"complete -c sluice -n __fish_use_subcommand -a {name} -d '{quoted(row.doc)}'")
    lines.append(f"complete -c sluice -n '__fish_seen_subcommand_from {' '.join(READERS)}' -F")
    return "\n".join(lines) + "\n"


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
    options = {row.name: row for row in rows if row.kind == "option"}
    commands = {row.name: row for row in rows if row.kind == "subcommand"}
    write(f"{share}/man/man1/sluice.1.gz", page("sluice.1", rows), packed=True)
    write(f"{share}/man/man5/sluice.cfg.5.gz", page("sluice.cfg.5", rows), packed=True)
    write(f"{share}/bash-completion/completions/sluice", bash(options, commands))
    write(f"{share}/zsh/vendor-completions/_sluice", zsh(options, commands))
    write(f"{share}/fish/vendor_completions.d/sluice.fish", fish(options, commands))


if __name__ == "__main__":
    main()
