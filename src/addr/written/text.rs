//! The text of addresses before each is read: lists, and variables in them.

use std::borrow::Cow;

/// Splits a list of addresses at its commas; empty items at the end are nothing.
pub fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').filter(|item| !item.is_empty())
}

/// Expands `$NAME` and `${NAME}` once more, as addresses are expanded even outside quotes. What is unset becomes nothing.
pub fn expand<'t>(
    text: &'t str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Cow<'t, str>, String> {
    if !text.contains('$') {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, left) = match after.strip_prefix('{') {
            Some(inner) => inner
                .split_once('}')
                .ok_or_else(|| format!("environment variable's brace is not closed in '{text}'"))?,
            None => {
                let len = after
                    .bytes()
                    .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
                    .count();
                after.split_at(len)
            }
        };
        out.push_str(&lookup(name).unwrap_or_default());
        rest = left;
    }
    out.push_str(rest);
    Ok(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_expand_outside_quotes_and_unset_ones_vanish() {
        let lookup = |name: &str| (name == "PORT").then(|| "8080".to_owned());
        assert_eq!(expand("*:80", &lookup), Ok(Cow::Borrowed("*:80")));
        assert_eq!(expand("*:$PORT", &lookup), Ok("*:8080".into()));
        assert_eq!(expand("fd@${PORT}x$NONE.", &lookup), Ok("fd@8080x.".into()));
        assert!(expand("fd@${PORT", &lookup).is_err());
    }

    #[test]
    fn lists_split_at_commas() {
        assert_eq!(items(":80,:81,").collect::<Vec<_>>(), [":80", ":81"]);
    }
}
