//! Conditions of `.if` and `-cc`: from their text to a truth.
//!
//! An expression is an integer, a predicate with arguments, `!`, `&&` over `||`, and parentheses;
//! nothing at all is false. What the program is (its version, its features) comes in through
//! [`Predicates`], so that this module knows no program. Evaluation is lazy but parsing is not:
//! what follows a decided operand must still be well formed. Which lines count because of it is
//! for [`super::blocks`] to say.

use super::args::args;
use super::diag::{Diag, Shape};
use super::env::Env;
use super::span::{Span, Word};
use super::suggest::suggest;

/// What the program says about itself.
pub trait Predicates {
    /// Whether the named build feature is there: `feature(THREAD)`.
    fn feature(&self, name: &str) -> bool;
    /// Whether the named run-time feature is on: `enabled(SPLICE)`.
    fn enabled(&self, name: &str) -> bool;
    /// How the program's version compares to the given one.
    fn version(&self, other: &str) -> std::cmp::Ordering;
    /// Any further predicate: none when the name is not known.
    fn other(&self, name: &str, arguments: &[&str]) -> Option<bool> {
        let (_, _) = (name, arguments);
        None
    }
    /// The names that [`Predicates::other`] knows, for suggestions.
    fn others(&self) -> &[&'static str] {
        &[]
    }
}

/// Evaluates an expression written in `text`, located at `span`.
///
/// # Errors
/// The expression is malformed, or a predicate is unknown.
pub fn evaluate(text: &str, span: Span, env: &Env, program: &dyn Predicates) -> Result<bool, Diag> {
    let word = Word::new(text, span);
    let mut reader = Reader {
        word: &word,
        at: 0,
        depth: 0,
        env,
        program,
    };
    reader.blanks();
    if reader.peek().is_none() {
        return Ok(false);
    }
    let value = reader.either(true)?;
    reader.blanks();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.fault("unexpected character at the end of expression")),
    }
}

struct Reader<'a> {
    word: &'a Word,
    at: usize,
    depth: usize,
    env: &'a Env,
    program: &'a dyn Predicates,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.word.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    fn takes(&mut self, text: &[u8]) -> bool {
        self.blanks();
        let found = self.word.bytes[self.at..].starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// `a || b`; `live` is false where the value cannot matter any more.
    fn either(&mut self, live: bool) -> Result<bool, Diag> {
        let mut value = self.both(live)?;
        while self.takes(b"||") {
            value |= self.both(live && !value)?;
        }
        Ok(value)
    }

    /// `a && b`.
    fn both(&mut self, live: bool) -> Result<bool, Diag> {
        let mut value = self.term(live)?;
        while self.takes(b"&&") {
            value &= self.term(live && value)?;
        }
        Ok(value)
    }

    fn term(&mut self, live: bool) -> Result<bool, Diag> {
        let mut negate = false;
        while self.takes(b"!") {
            negate = !negate;
        }
        self.blanks();
        let value = match self.peek() {
            Some(b'(') => self.group(live)?,
            Some(b'0'..=b'9' | b'-' | b'+') => self.integer()?,
            Some(b) if b.is_ascii_alphabetic() || b == b'_' => self.predicate(live)?,
            _ => return Err(self.fault("unparsable conditional expression")),
        };
        Ok(value != negate)
    }

    fn group(&mut self, live: bool) -> Result<bool, Diag> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.fault("too deep a conditional expression"));
        }
        let open = self.at;
        self.at += 1;
        let value = self.either(live)?;
        if !self.takes(b")") {
            self.at = open;
            return Err(self.fault("missing closing ')' in expression"));
        }
        self.depth -= 1;
        Ok(value)
    }

    fn integer(&mut self) -> Result<bool, Diag> {
        let start = self.at;
        self.at += usize::from(!self.peek().is_some_and(|b| b.is_ascii_digit()));
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        let digits = String::from_utf8_lossy(&self.word.bytes[start..self.at]).into_owned();
        let ends = !self.peek().is_some_and(|b| b.is_ascii_alphanumeric());
        match digits.parse::<i64>() {
            Ok(number) if ends => Ok(number != 0),
            _ => {
                self.at = start;
                Err(self.fault("unparsable conditional expression"))
            }
        }
    }

    fn predicate(&mut self, live: bool) -> Result<bool, Diag> {
        let start = self.at;
        let rest = &self.word.bytes[start..];
        let len = rest
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_')
            .count();
        let name = String::from_utf8_lossy(&rest[..len]).into_owned();
        self.at += len;
        if self.peek() != Some(b'(') {
            let known = self.known(&name);
            self.at = start;
            return Err(self.unknown(&name, known));
        }
        let list = args(self.word, self.at).map_err(|d| d.with_shape(Shape::Lexing))?;
        let arguments: Vec<&str> = list.list.iter().map(Word::str).collect();
        if !self.known(&name) {
            self.at = start;
            return Err(self.unknown(&name, false));
        }
        self.at = list.end;
        let value = self.test(&name, &arguments)?;
        Ok(live && value)
    }

    fn known(&self, name: &str) -> bool {
        BUILT_IN.iter().any(|(known, _)| *known == name) || self.program.others().contains(&name)
    }

    fn test(&self, name: &str, arguments: &[&str]) -> Result<bool, Diag> {
        let wanted = BUILT_IN.iter().find(|(known, _)| *known == name);
        if let Some((_, count)) = wanted
            && *count != arguments.len()
        {
            return Err(self.fault(&format!(
                "'{name}' expects {count} argument{}, {} given, in expression",
                if *count == 1 { "" } else { "s" },
                arguments.len()
            )));
        }
        Ok(match (name, arguments) {
            ("defined", [variable]) => self.env.value(variable).is_some(),
            ("feature", [name]) => self.program.feature(name),
            ("enabled", [name]) => self.program.enabled(name),
            ("streq", [a, b]) => a == b,
            ("strneq", [a, b]) => a != b,
            ("strstr", [text, part]) => text.contains(part),
            ("version_atleast", [version]) => self.program.version(version).is_ge(),
            ("version_before", [version]) => self.program.version(version).is_lt(),
            _ => self.program.other(name, arguments).unwrap_or(false),
        })
    }

    fn unknown(&self, name: &str, lacks_arguments: bool) -> Diag {
        let diag = self.fault(&format!("unparsable conditional expression '{name}'"));
        if lacks_arguments {
            return diag.with_fix(format!("{name}(…)"));
        }
        let own = BUILT_IN.iter().map(|(name, _)| *name);
        let known = own.chain(self.program.others().iter().copied());
        diag.with_reason(format!("there is no predicate '{name}'"))
            .suggesting(suggest(name, known))
    }

    fn fault(&self, message: &str) -> Diag {
        Diag::alert(
            self.word.part(self.at, self.at + 1),
            format!(
                "{message} at position {}: '{}'.",
                self.at + 1,
                String::from_utf8_lossy(&self.word.bytes[self.at.min(self.word.bytes.len())..])
            ),
        )
        .with_shape(Shape::Lexing)
    }
}

/// How deep parentheses may nest.
const DEPTH_MAX: usize = 100;

/// The predicates of the language and how many arguments each takes.
const BUILT_IN: [(&str, usize); 8] = [
    ("defined", 1),
    ("enabled", 1),
    ("feature", 1),
    ("streq", 2),
    ("strneq", 2),
    ("strstr", 2),
    ("version_atleast", 1),
    ("version_before", 1),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::cmp::Ordering;

    struct Program;

    impl Predicates for Program {
        fn feature(&self, name: &str) -> bool {
            name == "THREAD"
        }
        fn enabled(&self, _: &str) -> bool {
            false
        }
        fn version(&self, other: &str) -> Ordering {
            "3.2".cmp(other)
        }
        fn other(&self, name: &str, arguments: &[&str]) -> Option<bool> {
            (name == "fips_mode").then_some(arguments.is_empty())
        }
        fn others(&self) -> &[&'static str] {
            &["fips_mode"]
        }
    }

    fn eval(text: &str) -> Result<bool, String> {
        let env = [("HOME", "/root")].into_iter().collect();
        evaluate(text, Span::default(), &env, &Program).map_err(|d| d.message)
    }

    #[test]
    fn expressions_hold_or_do_not() {
        for (text, expected) in [
            ("", false),
            ("  ", false),
            ("0", false),
            ("1", true),
            ("-1", true),
            ("!0", true),
            ("!!1", true),
            ("1 && 0", false),
            ("1||0&&0", true),
            ("(1||0)&&0", false),
            ("! ( 1 && 0 ) ", true),
            ("defined(HOME)", true),
            ("defined(NOPE)", false),
            ("feature(THREAD) && !feature(LUA)", true),
            ("streq(a,a)", true),
            ("streq(\"a b\",'a b')", true),
            ("strneq(a,b)", true),
            ("strstr(haystack,sta)", true),
            ("version_atleast(3.2)", true),
            ("version_before(3.2)", false),
            ("fips_mode()", true),
        ] {
            assert_eq!(eval(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn malformed_expressions_are_refused_even_when_decided() {
        for text in [
            "1 2",
            "x",
            "1 ||",
            "&& 1",
            "(1",
            "1)",
            "1x",
            "streq(a)",
            "nope(a)",
            "feature",
            "!",
            "0 && nope(a)",
            "1 || (",
            "streq(a,b",
        ] {
            assert!(eval(text).is_err(), "{text}");
        }
        assert!(eval(&"(".repeat(200)).is_err());
    }

    #[test]
    fn an_unknown_predicate_is_suggested() {
        let message = eval("featur(THREAD)").expect_err("unknown");
        assert!(
            message.ends_with("did you mean 'feature' maybe ?"),
            "{message}"
        );
    }
}
