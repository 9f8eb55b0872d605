//! Lines that begin with a dot: conditional blocks and messages.

use crate::lang::blocks::Branch;
use crate::lang::cond::{self, Predicates};
use crate::lang::{Diag, Env, Severity, Shape, Word, suggest};

/// What a directive asks for.
pub(crate) enum Directive {
    /// A branch of a conditional block, and the words of its condition joined by single blanks.
    Block(Branch, Word),
    /// A message to the operator.
    Say(Diag),
}

/// Reads a line as a directive; none when it is not one.
///
/// # Errors
/// The directive is unknown or malformed.
pub(crate) fn read(words: &[Word]) -> Result<Option<Directive>, Diag> {
    let first = &words[0];
    if first.bytes[0] != b'.' {
        return Ok(None);
    }
    let branch = match first.str() {
        ".if" => Branch::If,
        ".elif" => Branch::Elif,
        ".else" => Branch::Else,
        ".endif" => Branch::Endif,
        _ => return message(words).map(Some),
    };
    if let (Branch::Else | Branch::Endif, Some(extra)) = (branch, words.get(1)) {
        return Err(Diag::alert(
            extra.span,
            format!(
                "Unexpected argument '{}' for '{}'.",
                extra.shown(),
                first.shown()
            ),
        )
        .with_shape(Shape::Lexing));
    }
    let texts: Vec<&[u8]> = words[1..].iter().map(|w| w.bytes.as_slice()).collect();
    let span = match &words[1..] {
        [] => first.span,
        [only] => only.span,
        [start, .., end] => start.span.to(end.span),
    };
    let condition = Word::new(texts.join(&b' '), span);
    Ok(Some(Directive::Block(branch, condition)))
}

/// Whether a condition holds.
///
/// # Errors
/// It is malformed.
pub(crate) fn evaluate(
    condition: &Word,
    env: &Env,
    program: &dyn Predicates,
) -> Result<bool, Diag> {
    cond::evaluate(condition.text()?, condition.span, env, program)
}

fn message(words: &[Word]) -> Result<Directive, Diag> {
    let first = &words[0];
    let severity = match first.str() {
        ".notice" => Severity::Notice,
        ".warning" => Severity::Warning,
        ".alert" => Severity::Alert,
        ".diag" => Severity::Diag,
        text => {
            let diag = Diag::alert(first.span, format!("unknown directive '{text}'."));
            return Err(diag
                .with_shape(Shape::Lexing)
                .suggesting(suggest(text, KNOWN)));
        }
    };
    match words {
        [_, text] => Ok(Directive::Say(
            Diag::new(severity, text.span, format!("'{}'.", text.shown()))
                .with_shape(Shape::Lexing),
        )),
        [] | [_] => Err(argument_count(first, first.span.after())),
        [_, _, extra, ..] => Err(argument_count(first, extra.span)),
    }
}

fn argument_count(first: &Word, span: crate::lang::Span) -> Diag {
    Diag::alert(
        span,
        format!("'{}' expects exactly one argument.", first.shown()),
    )
    .with_shape(Shape::Lexing)
    .with_fix(format!("{} \"the whole message\"", first.shown()))
}

const KNOWN: [&str; 8] = [
    ".if", ".elif", ".else", ".endif", ".notice", ".warning", ".alert", ".diag",
];
