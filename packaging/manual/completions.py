"""What bash, zsh and fish offer behind `sluice`, from the program's own rows.

manual.py writes what is made here. A shell offers the options of HAProxy's command
line and the subcommands, behind a subcommand that one's own options and its files;
behind an option what its usage says: `<file>` a file, `<text|json>` these words,
anything else nothing.
"""

FILES = ("<file|dir>", "<file>", "<dir>", "<socket>")


class Option:
    """An option: its spellings, and what follows them."""

    def __init__(self, row):
        self.spellings = row.name.split(",")
        self.doc = row.doc
        self.usage = row.usage
        self.is_file = row.usage in FILES
        self.words = row.usage.strip("<>").split("|") if "|" in row.usage and not self.is_file else []


class Command:
    """A subcommand, or with an empty name the line without one."""

    def __init__(self, name, doc, options, reads_files):
        self.name, self.doc, self.options, self.reads_files = name, doc, options, reads_files

    def spellings(self):
        return [spelling for option in self.options for spelling in option.spellings]


class Line:
    """The command line: what stands without a subcommand, and the subcommands."""

    def __init__(self, rows):
        def options(kind, where):
            return [Option(row) for row in rows if row.kind == kind and row.where == where]

        def reads_files(name):
            return any(row.kind == "argument" and row.where == name and row.usage.removesuffix("...") in FILES
                       for row in rows)

        self.plain = Command("", "", options("option", ""), False)
        self.commands = [Command(row.name, row.doc, options("suboption", row.name), reads_files(row.name))
                         for row in rows if row.kind == "subcommand"]

    def names(self):
        return [command.name for command in self.commands]


def bash(line):
    contexts = [*line.commands, line.plain]

    def behind(fits):
        """The patterns of `subcommand:option` whose options fit."""
        return "|".join(f"{command.name}:{spelling}" for command in contexts for option in command.options
                        if fits(option) for spelling in option.spellings)

    def readers(rest):
        return "|".join(command.name + rest for command in line.commands if command.reads_files)

    out = ["# bash completion of sluice",
           "_sluice_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$word\"); }",
           "_sluice_files() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); }",
           "_sluice() {",
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=",
           "    COMPREPLY=()",
           "    if [[ $COMP_CWORD -gt 1 ]]; then",
           f"        case ${{COMP_WORDS[1]}} in {'|'.join(line.names())}) command=${{COMP_WORDS[1]}} ;; esac",
           "    fi",
           "    case $command:$before in",
           f"        {behind(lambda option: option.is_file)}) _sluice_files; return ;;"]
    chosen = {tuple(option.words): None for command in contexts for option in command.options if option.words}
    for words in chosen:
        patterns = behind(lambda option, words=words: tuple(option.words) == words)
        out.append(f"        {patterns}) _sluice_words '{' '.join(words)}'; return ;;")
    out += [f"        {behind(lambda option: option.usage and not option.is_file and not option.words)}) return ;;",
            "    esac",
            "    case $command:$word in",
            f"        {readers(':-*')}) ;;",
            f"        {readers(':*')}) _sluice_files; return ;;"]
    out += ["    esac", "    case $command:$COMP_CWORD in"]
    for command in line.commands:
        out.append(f"        {command.name}:*) _sluice_words '{' '.join(command.spellings())}' ;;")
    out += [f"        :1) _sluice_words '{' '.join(line.plain.spellings() + line.names())}' ;;",
            f"        *) _sluice_words '{' '.join(line.plain.spellings())}' ;;",
            "    esac", "}", "complete -F _sluice sluice"]
    return "\n".join(out) + "\n"


def quoted(text):
    """Between single quotes, as all of these shells read it."""
    return text.replace("'", "'\\''")


def zsh_specs(command):
    """What _arguments is told of a command's options."""
    specs = []
    for option in command.options:
        doc = quoted(option.doc).replace("[", "\\[").replace("]", "\\]")
        action = "_files" if option.is_file else f"({' '.join(option.words)})" if option.words else ""
        argument = f":{quoted(option.usage)}:{action}" if option.usage else ""
        specs += [f"'*{spelling}[{doc}]{argument}'" for spelling in option.spellings]
    if command.reads_files:
        specs.append("'*:file:_files'")
    return specs


def zsh(line):
    lines = ["#compdef sluice", "local state", "_arguments \\"]
    lines += [f"    {spec} \\" for spec in zsh_specs(line.plain)]
    lines += ["    '1:subcommand:->subcommand' '*:: :->rest' && return", "case $state in", "subcommand)"]
    lines.append("    local -a subcommands=(")
    lines += [f"        '{command.name}:{quoted(command.doc)}'" for command in line.commands]
    lines += ["    )", "    _describe subcommand subcommands ;;", "rest)", "    case $words[1] in"]
    for command in line.commands:
        lines += [f"    {command.name}) _arguments \\", *(f"        {spec} \\" for spec in zsh_specs(command)), "        ;;"]
    lines += ["    esac ;;", "esac"]
    return "\n".join(lines) + "\n"


def fish_flag(spelling):
    if spelling.startswith("--"):
        return f"-l {spelling[2:]}"
    return f"-o {spelling[1:]}" if len(spelling) > 2 else f"-s {spelling[1:]}"


def fish_options(command, condition):
    lines = []
    for option in command.options:
        flags = " ".join(fish_flag(spelling) for spelling in option.spellings)
        extra = " -r -F" if option.is_file else f" -x -a '{' '.join(option.words)}'" if option.words else \
            " -x" if option.usage else ""
        lines.append(f"complete -c sluice -n '{condition}' {flags}{extra} -d '{quoted(option.doc)}'")
    return lines


def fish(line):
    seen = "__fish_seen_subcommand_from"
    lines = ["# fish completion of sluice", "complete -c sluice -f"]
    lines += fish_options(line.plain, f"not {seen} {' '.join(line.names())}")
    for command in line.commands:
        lines.append(f"complete -c sluice -n __fish_use_subcommand -a {command.name} -d '{quoted(command.doc)}'")
        lines += fish_options(command, f"{seen} {command.name}")
        if command.reads_files:
            lines.append(f"complete -c sluice -n '{seen} {command.name}' -F")
    return "\n".join(lines) + "\n"
