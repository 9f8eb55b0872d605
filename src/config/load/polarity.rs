//! `no` and `default` before a line: which keywords they may stand before, and what is left of the line.

use crate::lang::{Diag, Polarity, Word};

/// Takes `no` and `default` off the line.
pub(super) fn polarity(words: &[Word]) -> Result<(&[Word], Polarity), Diag> {
    let polarity = match words[0].str() {
        "no" => Polarity::No,
        "default" => Polarity::Default,
        _ => return Ok((words, Polarity::Plain)),
    };
    let Some(keyword) = words.get(1) else {
        return Err(Diag::alert(
            words[0].span.after(),
            format!("'{}' expects a keyword to apply to.", words[0].shown()),
        ));
    };
    if !NEGATABLE.contains(&keyword.str()) {
        return Err(Diag::alert(
            words[0].span,
            format!(
                "negation/default currently supported only for options, log, and busy-polling. \
                 (got '{} {}')",
                words[0].shown(),
                keyword.shown()
            ),
        ));
    }
    Ok((&words[1..], polarity))
}

/// The keywords that `no` and `default` may stand before.
const NEGATABLE: [&str; 7] = [
    "option",
    "log",
    "busy-polling",
    "set-dumpable",
    "strict-limits",
    "insecure-fork-wanted",
    "numa-cpu-mapping",
];
