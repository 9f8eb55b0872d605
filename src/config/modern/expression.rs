//! Expressions on whole lines of a message, as `reqrep` and its kind had them, taken apart into what their successors
//! need: which header or the request's target, an expression on its value alone, and what is put in its place.
//!
//! Nothing is guessed: an expression that these forms do not cover has no successor here, and its operator is told which
//! keyword could do its work.

/// What is done to the value of a header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) search: String,
    pub(super) string: String,
}

/// What is done to the target of requests.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RequestLine {
    /// The methods whose requests are meant; all when there are none.
    pub(super) methods: Vec<String>,
    pub(super) search: String,
    pub(super) string: String,
}

/// Expressions for any method, by which group 1 holds it.
const ANY_METHOD: [&str; 10] = [
    "([^ :]*)", "([^ :]+)", "([^ ]*)", "([^ ]+)", "(.*)", "(.+)", r"(\S*)", r"(\S+)", "([A-Z]*)",
    "([A-Z]+)",
];

impl RequestLine {
    /// Takes apart an expression on the request line that leaves method and version as they are.
    pub(super) fn read(search: &str, string: &str) -> Option<RequestLine> {
        let (search, string) = (search.replace(r"\ ", " "), string.replace(r"\ ", " "));
        let (method, target) = split(search.strip_prefix('^')?)?;
        let any = ANY_METHOD.contains(&method);
        let named = method
            .strip_prefix('(')
            .and_then(|text| text.strip_suffix(')'));
        let methods = named.unwrap_or(method).split('|');
        let methods: Vec<String> = methods.filter(|_| !any).map(str::to_owned).collect();
        let is_name = |name: &String| name.bytes().all(|b| b.is_ascii_uppercase());
        if !methods.iter().all(is_name) || (named.is_none() && methods.len() > 1) {
            return None;
        }
        let kept = if named.is_some() { r"\1" } else { method };
        let string = string.strip_prefix(kept)?.strip_prefix(' ')?;
        let shift = u32::from(named.is_some());
        let (target, string) = match split(target) {
            None => (target, string),
            Some((target, version)) => (target, without_version(target, version, string, shift)?),
        };
        let search = format!("^{}", target.strip_suffix('$').unwrap_or(target));
        Some(RequestLine {
            methods,
            search,
            string: renumbered(string, shift)?,
        })
    }
}

/// The string without the version that the last group of the expression puts back.
fn without_version<'s>(
    target: &str,
    version: &str,
    string: &'s str,
    shift: u32,
) -> Option<&'s str> {
    let group = version.strip_suffix('$').unwrap_or(version);
    let inner = group.strip_prefix('(')?.strip_suffix(')')?;
    if inner.contains(['(', ')', ' ']) {
        return None;
    }
    let last = groups(target) + shift + 1;
    string.strip_suffix(&format!(r" \{last}"))
}

/// How many groups an expression has.
fn groups(text: &str) -> u32 {
    let mut count = 0;
    each(text, |_, byte, next| {
        count += u32::from(byte == b'(' && next != Some(b'?'));
        true
    });
    count
}

/// An expression's part before its first blank that stands for itself, and the one behind it.
fn split(text: &str) -> Option<(&str, &str)> {
    let mut found = None;
    each(text, |at, byte, _| {
        found = (byte == b' ').then_some(at);
        found.is_none()
    });
    let at = found?;
    Some((&text[..at], &text[at + 1..]))
}

/// Visits the bytes of an expression that are neither escaped nor in a class, with their places, until told to stop.
fn each(text: &str, mut visit: impl FnMut(usize, u8, Option<u8>) -> bool) {
    let bytes = text.as_bytes();
    let (mut at, mut class) = (0, false);
    while let Some(&byte) = bytes.get(at) {
        match (byte, class) {
            (b'\\', _) => at += 1,
            (b'[', false) => class = true,
            (b']', true) => class = false,
            (_, true) => {}
            (_, false) => {
                if !visit(at, byte, bytes.get(at + 1).copied()) {
                    return;
                }
            }
        }
        at += 1;
    }
}

/// The string with its groups counted anew after `shift` of them went; none when one of those is used.
fn renumbered(string: &str, shift: u32) -> Option<String> {
    let mut out = String::with_capacity(string.len());
    let mut chars = string.chars();
    while let Some(c) = chars.next() {
        out.push(c);
        if c == '\\' {
            let group = chars.next()?.to_digit(10)?;
            out.push_str(&group.checked_sub(shift).filter(|&g| g > 0)?.to_string());
        }
    }
    Some(out)
}

/// `^Name:\ value` as name and value; none when the expression is about something else.
pub(super) fn header(search: &str) -> Option<(&str, &str)> {
    let (name, value) = search.trim_start_matches('^').split_once(':')?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'*');
    if name.is_empty() || !name.bytes().all(plain) {
        return None;
    }
    Some((name, unblanked(value)))
}

/// A value without the blanks that stand between it and the colon.
fn unblanked(value: &str) -> &str {
    let blanks = ["[ ]*", r"\s*", " *", r"\ *", r"\s+", " ", r"\ "];
    blanks
        .iter()
        .find_map(|blank| value.strip_prefix(blank))
        .unwrap_or(value)
}

/// Takes apart an expression on a header line that keeps the header's name.
pub(super) fn replacement(search: &str, string: &str) -> Option<Header> {
    if let Some((name, value)) = header(search) {
        let (own, string) = string.split_once(':')?;
        let search = if value.is_empty() { ".*" } else { value };
        let same = own.trim_start_matches('^').eq_ignore_ascii_case(name);
        return same.then(|| Header {
            name: name.to_owned(),
            search: search.to_owned(),
            string: string.trim().to_owned(),
        });
    }
    // `^(Name:.*)` with `\1` puts the name back with what it begins.
    let inside = search.trim_start_matches('^').strip_prefix('(')?;
    let (name, value) = header(inside).filter(|(name, _)| !name.contains(['*', '.']))?;
    let string = string.strip_prefix(r"\1")?;
    if string.contains(r"\1") || string.contains(r"\0") || groups(&format!("({value}")) == 0 {
        return None;
    }
    Some(Header {
        name: name.to_owned(),
        search: format!("({value}"),
        string: format!(r"\1{string}"),
    })
}

/// The expression behind its flags, which one without letters does not need.
pub(super) fn flagged(flags: &str, search: &str) -> String {
    let mut letters = false;
    let mut last = b' ';
    for byte in search.bytes() {
        letters |= byte.is_ascii_alphabetic() && last != b'\\';
        last = if last == b'\\' { b' ' } else { byte };
    }
    format!("{}{search}", if letters { flags } else { "" })
}

/// Which keyword could do the work of an expression that nothing exact is known for.
pub(super) fn by_hand(search: &str, ruleset: &str) -> String {
    let text = search.trim_start_matches('^');
    if text.starts_with("HTTP") {
        return "http-response set-status <status>".to_owned();
    }
    if ruleset == "http-request" && split(text).is_some_and(|(method, _)| !method.contains(':')) {
        return "http-request replace-path, with an expression on the path alone".to_owned();
    }
    format!("{ruleset} replace-header <name>, with an expression on the value alone")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(search: &str, string: &str) -> Option<(String, String)> {
        let line = RequestLine::read(search, string)?;
        Some((line.search, line.string))
    }

    fn own(search: &str, string: &str) -> Option<(String, String)> {
        Some((search.to_owned(), string.to_owned()))
    }

    #[test]
    fn the_target_of_request_lines() {
        for (search, string, new, put) in [
            (
                "^([^ :]*) /old/(.*)",
                r"\1 /new/\2",
                "^/old/(.*)",
                r"/new/\1",
            ),
            (r"^([^\ ]*)\ /a", r"\1\ /b", "^/a", "/b"),
            (
                "^([^ ]*) /a/([^ ]*) (.*)$",
                r"\1 /\2 \3",
                "^/a/([^ ]*)",
                r"/\1",
            ),
            ("^([^ ]*) [^ ]* (.*)", r"\1 /sorry \2", "^[^ ]*", "/sorry"),
            ("^([^ ]*) /(a|b) (HTTP/.*)", r"\1 /\2 \3", "^/(a|b)", r"/\1"),
        ] {
            assert_eq!(line(search, string), own(new, put), "{search}");
        }
        let get = RequestLine::read("^GET (.*)", r"GET /x\1").expect("a target");
        assert_eq!(
            (&*get.methods, &*get.search),
            (&["GET".to_owned()][..], "^(.*)")
        );
        assert_eq!(get.string, r"/x\1");
    }

    #[test]
    fn what_changes_more_than_the_target_is_refused() {
        for (search, string) in [
            ("^([^ ]*) /a (.*)", r"\1 /b HTTP/1.0"),
            ("^([^ ]*) /a/([^ ]*) (.*)", r"\1 /\3 \2"),
            ("^([^ ]*) /a", r"POST /b"),
            ("^GET /a", "POST /a"),
            ("^([^ ]*) /a", r"\1 /\1"),
            ("^([^ ]*) /a HTTP/1.1", r"\1 /b HTTP/1.1"),
            ("([^ ]*) /a", r"\1 /b"),
        ] {
            assert_eq!(line(search, string), None, "{search} {string}");
        }
    }

    #[test]
    fn the_value_of_headers() {
        for (search, string, new, put) in [
            ("^Name: (.*)x", r"Name: \1y", "(.*)x", r"\1y"),
            ("^Name:", "name: v", ".*", "v"),
            ("^(Name:.*)", r"\1; Secure", "(.*)", r"\1; Secure"),
            (
                "^(Name: .*) P=/(.*)",
                r"\1 P=/w/\2",
                "(.*) P=/(.*)",
                r"\1 P=/w/\2",
            ),
        ] {
            let found = replacement(search, string).map(|header| (header.search, header.string));
            assert_eq!(found, own(new, put), "{search}");
        }
        for (search, string) in [
            ("^Name: a", "Other: b"),
            ("^(Name:.*)", r"x\1"),
            ("^(Name:.*)", r"\1\1"),
            ("secret", "x"),
        ] {
            assert_eq!(replacement(search, string), None, "{search} {string}");
        }
    }

    #[test]
    fn flags_stand_where_letters_do() {
        assert_eq!(flagged("(?i)", "/a"), "(?i)/a");
        assert_eq!(flagged("(?i)", r"(.*)\w\s"), r"(.*)\w\s");
    }

    #[test]
    fn who_does_it_by_hand_is_told_how() {
        assert_eq!(
            by_hand("^HTTP/1 200", "http-response"),
            "http-response set-status <status>"
        );
        assert!(by_hand("^GET /a b c", "http-request").contains("replace-path"));
        assert!(by_hand("secret", "http-response").starts_with("http-response replace-header"));
    }
}
