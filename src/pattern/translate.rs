//! Regular expressions as operators write them (PCRE) in the syntax of the engine used here.
//!
//! The engine runs in time linear in the text, whatever the expression; so it has no look-around
//! and no back-references, and [`Regex`](super::Regex) refuses those by name. What differs in
//! spelling only is rewritten here: escapes that need none, `\h`, `\R`, `\Q…\E`, `\Z`, braces and
//! brackets that stand for themselves.

/// The expression in the engine's spelling, or what it lacks.
///
/// # Errors
/// The name of a feature that cannot run in linear time.
pub(super) fn translate(source: &[u8]) -> Result<String, &'static str> {
    let mut out = Translator {
        source,
        at: 0,
        out: String::with_capacity(source.len() + 8),
    };
    out.run()?;
    Ok(out.out)
}

struct Translator<'s> {
    source: &'s [u8],
    at: usize,
    out: String,
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), &'static str> {
        while let Some(&byte) = self.source.get(self.at) {
            match byte {
                b'\\' => self.escape(false)?,
                b'[' => self.class()?,
                b'{' if !self.is_repetition() => self.push_str("\\{", 1),
                b'(' => self.group()?,
                b'*' | b'+' | b'?' | b'}' if self.source.get(self.at + 1) == Some(&b'+') => {
                    return Err("possessive quantifiers");
                }
                _ => self.copy(),
            }
        }
        Ok(())
    }

    /// Copies one byte; those beyond ASCII become escapes, since the text is matched as bytes.
    fn copy(&mut self) {
        let byte = self.source[self.at];
        if byte.is_ascii() {
            self.out.push(char::from(byte));
        } else {
            self.out.push_str(&format!("\\x{byte:02x}"));
        }
        self.at += 1;
    }

    fn push_str(&mut self, text: &str, taken: usize) {
        self.out.push_str(text);
        self.at += taken;
    }

    /// Whether a brace begins `{n}`, `{n,}` or `{n,m}`.
    fn is_repetition(&self) -> bool {
        let rest = &self.source[self.at + 1..];
        let Some(end) = rest.iter().position(|b| *b == b'}') else {
            return false;
        };
        let body = &rest[..end];
        body.first().is_some_and(u8::is_ascii_digit)
            && body.iter().all(|b| b.is_ascii_digit() || *b == b',')
            && body.iter().filter(|b| **b == b',').count() <= 1
    }

    fn group(&mut self) -> Result<(), &'static str> {
        let rest = &self.source[self.at..];
        let look = [&b"(?="[..], b"(?!", b"(?<=", b"(?<!"];
        if look.iter().any(|l| rest.starts_with(l)) {
            return Err("look-around assertions");
        }
        if rest.starts_with(b"(?>") {
            return Err("atomic groups");
        }
        if rest.starts_with(b"(?|") || rest.starts_with(b"(?(") || rest.starts_with(b"(?R") {
            return Err("conditional or recursive groups");
        }
        if rest.starts_with(b"(?#") {
            let end = rest
                .iter()
                .position(|b| *b == b')')
                .unwrap_or(rest.len() - 1);
            self.at += end + 1;
            return Ok(());
        }
        if let Some(name) = rest.strip_prefix(b"(?'") {
            self.push_str("(?P<", 3);
            let len = name.iter().position(|b| *b == b'\'').unwrap_or(0);
            self.out.push_str(&String::from_utf8_lossy(&name[..len]));
            self.push_str(">", len + 1);
            return Ok(());
        }
        self.copy();
        Ok(())
    }

    fn escape(&mut self, in_class: bool) -> Result<(), &'static str> {
        let Some(&next) = self.source.get(self.at + 1) else {
            self.copy();
            return Ok(());
        };
        match next {
            b'1'..=b'9' if !in_class => return Err("back-references"),
            b'g' | b'k' => return Err("back-references"),
            b'K' | b'G' | b'C' | b'X' => return Err("\\K, \\G, \\C and \\X"),
            b'h' => self.push_str(if in_class { " \\t" } else { "[ \\t]" }, 2),
            b'H' if !in_class => self.push_str("[^ \\t]", 2),
            b'R' if !in_class => self.push_str("(?:\\r\\n|[\\n\\x0b\\f\\r])", 2),
            b'N' if !in_class => self.push_str("[^\\n]", 2),
            b'Z' if !in_class => self.push_str("(?:\\n?\\z)", 2),
            b'e' => self.push_str("\\x1b", 2),
            b'0' => self.push_str("\\x00", 2),
            b'b' if in_class => self.push_str("\\x08", 2),
            b'Q' => self.quoted(),
            b'E' => self.at += 2,
            b'c' => {
                let control = self
                    .source
                    .get(self.at + 2)
                    .map_or(0, |c| c.to_ascii_uppercase() ^ 64);
                self.push_str(&format!("\\x{control:02x}"), 3);
            }
            _ if next.is_ascii_alphanumeric() => {
                self.copy();
                self.copy();
            }
            b'<' | b'>' => self.push_str(&char::from(next).to_string(), 2),
            _ if next.is_ascii() => {
                self.copy();
                self.copy();
            }
            _ => {
                self.at += 1;
                self.copy();
            }
        }
        Ok(())
    }

    fn quoted(&mut self) {
        self.at += 2;
        while self.at < self.source.len() {
            if self.source[self.at..].starts_with(b"\\E") {
                self.at += 2;
                return;
            }
            let byte = self.source[self.at];
            if byte.is_ascii_punctuation() {
                self.out.push('\\');
            }
            self.copy();
        }
    }

    /// A bracketed class, up to its end.
    fn class(&mut self) -> Result<(), &'static str> {
        self.copy();
        if self.source.get(self.at) == Some(&b'^') {
            self.copy();
        }
        if self.source.get(self.at) == Some(&b']') {
            self.push_str("\\]", 1);
        }
        while let Some(&byte) = self.source.get(self.at) {
            let rest = &self.source[self.at..];
            match byte {
                b']' => {
                    self.copy();
                    return Ok(());
                }
                b'\\' => self.escape(true)?,
                b'[' if rest.starts_with(b"[:") && rest.windows(2).any(|w| w == b":]") => {
                    let end = rest.windows(2).position(|w| w == b":]").unwrap_or(0) + 2;
                    for _ in 0..end {
                        self.copy();
                    }
                }
                b'[' => self.push_str("\\[", 1),
                b'&' | b'~' if rest.get(1) == Some(&byte) => {
                    self.out.push('\\');
                    self.copy();
                }
                b'-' if rest.get(1) == Some(&b'-') => self.push_str("\\-", 1),
                _ => self.copy(),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(source: &str) -> String {
        translate(source.as_bytes()).expect("runs in linear time")
    }

    #[test]
    fn what_needs_no_change() {
        for same in [
            r"^/api/(v[0-9]+)/.*$",
            r"\.(?:png|jpe?g)$",
            r"a{2,3}b{4}c{5,}",
            r"(?i)x(?P<n>y)",
            r"[[:alpha:]_-]+",
            r"\/a\-b",
        ] {
            assert_eq!(ok(same), same);
        }
    }

    #[test]
    fn spelling_that_differs() {
        assert_eq!(ok("a{b}"), r"a\{b}");
        assert_eq!(ok("[[]"), r"[\[]");
        assert_eq!(ok("[]a]"), r"[\]a]");
        assert_eq!(ok(r"\<a\>"), "<a>");
        assert_eq!(ok(r"\Qa.b\E."), r"a\.b.");
        assert_eq!(ok(r"\h+"), r"[ \t]+");
        assert_eq!(ok("é"), r"\xc3\xa9");
        assert_eq!(ok("(?#note)a"), "a");
        assert_eq!(ok(r"[a&&b]"), r"[a\&&b]");
    }

    #[test]
    fn what_cannot_run_in_linear_time() {
        for source in [r"(?!a)b", r"(?<=a)b", r"(a)\1", r"(?>a)", r"a++"] {
            assert!(translate(source.as_bytes()).is_err(), "{source}");
        }
    }
}
