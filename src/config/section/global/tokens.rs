//! Which encrypted tokens converters open.

use crate::config::draft::GlobalDraft;
use crate::lang::{Cursor, Diag, Keyword, suggest};
use crate::sample::{JWE_ALGORITHMS, JWE_ENCRYPTIONS};

/// The rows.
#[rustfmt::skip]
pub(crate) const KEYWORDS: &[Keyword<GlobalDraft>] = &[
    Keyword::of_global("jwt.decrypt_alg_list", "<alg>[,<alg>]*", "The only ways in which keys of encrypted tokens may be had ('alg').",
        |cur, g| list(cur, JWE_ALGORITHMS, &mut g.site.token_algorithms)),
    Keyword::of_global("jwt.decrypt_enc_list", "<enc>[,<enc>]*", "The only ways in which encrypted tokens may be encrypted ('enc').",
        |cur, g| list(cur, JWE_ENCRYPTIONS, &mut g.site.token_encryptions)),
];

/// Reads names, between which commas, colons or blanks stand.
fn list(
    cur: &mut Cursor<'_>,
    known: &[&'static str],
    to: &mut Option<Vec<&'static str>>,
) -> Result<(), Diag> {
    cur.peek()
        .ok_or_else(|| cur.missing("a list of algorithms"))?;
    let mut list = Vec::new();
    for word in cur.rest() {
        for name in word
            .text()?
            .split([',', ':'])
            .filter(|name| !name.is_empty())
        {
            let found = known.iter().find(|known| **known == name);
            list.push(*found.ok_or_else(|| {
                let text = format!("'{}' : unknown algorithm '{name}'.", cur.keyword());
                Diag::alert(word.span, text).suggesting(suggest(name, known.iter().copied()))
            })?);
        }
    }
    *to = Some(list);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Env, lexer};

    #[test]
    fn lists_name_what_there_is() {
        let read = |text: &str| {
            let env = Env::default();
            let words = lexer::read(text, &env).expect("a line");
            let mut to = None;
            let mut cur = Cursor::after(&words, 1, &env);
            list(&mut cur, JWE_ENCRYPTIONS, &mut to).map_err(|diag| diag.message)?;
            Ok::<_, String>(to.unwrap_or_default())
        };
        let two = Ok(vec!["A128GCM", "A256GCM"]);
        assert_eq!(read("x A128GCM,A256GCM"), two);
        assert_eq!(read("x A128GCM:A256GCM"), two);
        assert!(read("x A512GCM").is_err_and(|text| text.contains("'A512GCM'")));
        assert!(read("x").is_err());
    }
}
