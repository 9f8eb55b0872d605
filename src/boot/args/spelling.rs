//! HAProxy's spelling of options, turned into long ones.
//!
//! Always true: what HAProxy knows is known here; letters that ask for a part of its own build are taken and change nothing.

/// What follows an option's letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    /// Nothing.
    Nothing,
    /// A value in the next argument.
    Value,
    /// A value glued to the letters, perhaps empty.
    Glued,
    /// Letters glued on that change nothing here.
    Ignored,
    /// All arguments up to the next dash, as numbers.
    Pids,
}

/// HAProxy's spelling, the long option it becomes (none: accepted without an effect), what follows. The longest
/// spelling that fits wins.
const SPELLINGS: &[(&str, Option<&str>, Tail)] = &[
    ("-f", Some("--file"), Tail::Value),
    ("-c", Some("--check"), Tail::Nothing),
    ("-cc", Some("--condition"), Tail::Value),
    ("-v", Some("--version"), Tail::Ignored),
    ("-vv", Some("--build"), Tail::Ignored),
    ("-V", Some("--verbose"), Tail::Nothing),
    ("-q", Some("--quiet"), Tail::Nothing),
    ("-d", Some("--debug"), Tail::Nothing),
    ("-db", Some("--foreground"), Tail::Nothing),
    ("-D", Some("--daemon"), Tail::Nothing),
    ("-W", Some("--master"), Tail::Nothing),
    ("-Ws", Some("--notify"), Tail::Nothing),
    ("-C", Some("--directory"), Tail::Value),
    ("-p", Some("--pidfile"), Tail::Value),
    ("-n", Some("--maxconn"), Tail::Value),
    ("-N", Some("--proxy-maxconn"), Tail::Value),
    ("-m", Some("--memory"), Tail::Value),
    ("-L", Some("--peer"), Tail::Value),
    ("-S", Some("--master-socket"), Tail::Value),
    ("-x", Some("--takeover"), Tail::Value),
    ("-sf", Some("--finish-old"), Tail::Pids),
    ("-st", Some("--terminate-old"), Tail::Pids),
    ("-dW", Some("--zero-warning"), Tail::Nothing),
    ("-dD", Some("--diagnostics"), Tail::Nothing),
    ("-dK", Some("--keywords"), Tail::Glued),
    ("-dC", Some("--dump"), Tail::Glued),
    ("-dr", Some("--ignore-resolution"), Tail::Nothing),
    ("-dV", Some("--no-verify"), Tail::Nothing),
    ("-dS", Some("--no-splice"), Tail::Nothing),
    ("-dF", Some("--no-fast-forward"), Tail::Nothing),
    ("-dR", Some("--no-reuseport"), Tail::Nothing),
    ("--leave-others", Some("--leave-others"), Tail::Nothing),
    // Choices of HAProxy's own build that have no counterpart here: its pollers, its allocator's debugging, its resolver library,
    // its copies of loaded objects, processors and profiles.
    ("-dM", None, Tail::Ignored),
    ("-dI", None, Tail::Nothing),
    ("-de", None, Tail::Nothing),
    ("-dp", None, Tail::Nothing),
    ("-dk", None, Tail::Nothing),
    ("-dv", None, Tail::Nothing),
    ("-dG", None, Tail::Nothing),
    ("-dL", None, Tail::Nothing),
    ("-dZ", None, Tail::Nothing),
    ("-dA", None, Tail::Ignored),
    ("-dP", None, Tail::Ignored),
    ("-dt", None, Tail::Ignored),
];

/// The options that have an effect, in the order of the table.
#[cfg(test)]
pub(in crate::boot) fn spellings() -> impl Iterator<Item = &'static str> {
    let known = SPELLINGS.iter().filter(|(_, long, _)| long.is_some());
    known.map(|(spelling, _, _)| *spelling)
}

/// Turns HAProxy's spelling into long options. An error without a text means that only the usage is shown.
pub(super) fn rewrite(args: &[String]) -> Result<Vec<String>, Option<String>> {
    let mut long = Vec::with_capacity(args.len() * 2);
    let mut rest = args.iter().peekable();
    while let Some(arg) = rest.next() {
        if arg == "--" {
            for file in rest.by_ref() {
                long.extend(["--file".to_owned(), file.clone()]);
            }
            break;
        }
        let (option, tail, glued) = spelled(arg).ok_or(None)?;
        match tail {
            Tail::Nothing | Tail::Ignored => long.extend(option.map(str::to_owned)),
            Tail::Glued => long.extend([option.unwrap_or_default().to_owned(), glued.to_owned()]),
            Tail::Value => {
                let value = rest.next().ok_or(None)?;
                long.extend([option.unwrap_or_default().to_owned(), value.clone()]);
            }
            Tail::Pids => {
                long.extend(option.map(str::to_owned));
                while let Some(list) = rest.next_if(|next| !next.starts_with('-')) {
                    for pid in pids(arg, list).map_err(Some)? {
                        long.extend(["--old".to_owned(), pid.to_string()]);
                    }
                }
            }
        }
    }
    Ok(long)
}

fn spelled(arg: &str) -> Option<(Option<&'static str>, Tail, &str)> {
    let fits = |(spelling, _, tail): &&(&str, Option<&str>, Tail)| match tail {
        Tail::Glued | Tail::Ignored => arg.starts_with(spelling),
        Tail::Nothing | Tail::Value | Tail::Pids => arg == *spelling,
    };
    let (spelling, option, tail) = SPELLINGS
        .iter()
        .filter(fits)
        .max_by_key(|(spelling, _, _)| spelling.len())?;
    Some((*option, *tail, &arg[spelling.len()..]))
}

/// One argument may hold several numbers: a script may quote the content of a pid file.
fn pids(option: &str, list: &str) -> Result<Vec<i32>, String> {
    list.split_whitespace()
        .map(|word| {
            let digits = word.bytes().take_while(u8::is_ascii_digit).count();
            if digits < word.len() {
                let left = &word[digits..];
                return Err(format!(
                    "{option} option: some bytes unconsumed in PID list {{{left}}}"
                ));
            }
            word.parse()
                .map_err(|_| format!("{option} option: failed to parse {{{word}}}: out of range"))
        })
        .collect()
}
