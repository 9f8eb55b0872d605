//! The line `cookie` of a proxy: how a client is kept on its server.

use super::Draft;
use crate::balance::persist::{Mode, Persist};
use crate::lang::{Cursor, Diag};

pub(super) fn cookie(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let name = cur.expect("<cookie_name> as argument")?.text()?;
    let mut persist = Persist::named(name);
    let mut modes = 0;
    while let Some(word) = cur.next() {
        match word.str() {
            "rewrite" => {
                persist.mode = Mode::Rewrite;
                modes += 1;
            }
            "insert" => {
                persist.mode = Mode::Insert;
                modes += 1;
            }
            "prefix" => {
                persist.mode = Mode::Prefix;
                modes += 1;
            }
            "indirect" => persist.indirect = true,
            "nocache" => persist.no_cache = true,
            "postonly" => persist.post_only = true,
            "preserve" => persist.preserve = true,
            "httponly" => persist.http_only = true,
            "secure" => persist.secure = true,
            "dynamic" => persist.dynamic = true,
            "domain" => domain(cur, &mut persist)?,
            "maxidle" => persist.max_idle = Some(age(cur, "'maxidle' expects <idletime>")?),
            "maxlife" => persist.max_life = Some(age(cur, "'maxlife' expects <lifetime>")?),
            "attr" => attribute(cur, &mut persist)?,
            other => {
                return Err(cur
                    .alert(UNKNOWN_OPTION)
                    .suggesting(crate::lang::suggest(other, OPTIONS.iter().copied())));
            }
        }
    }
    if modes > 1 {
        return Err(cur.alert("cookie 'rewrite', 'insert' and 'prefix' modes are incompatible."));
    }
    if persist.mode == Mode::Rewrite && persist.indirect {
        return Err(cur.alert("cookie 'rewrite' and 'indirect' modes are incompatible."));
    }
    if persist.preserve && persist.mode != Mode::Insert && !persist.indirect {
        return Err(cur.alert("cookie 'preserve' requires at least 'insert' or 'indirect'."));
    }
    draft.cookie = Some(persist);
    Ok(())
}

fn domain(cur: &mut Cursor<'_>, persist: &mut Persist) -> Result<(), Diag> {
    let Some(word) = cur.next() else {
        return Err(cur.alert("'domain' expects <domain> as argument."));
    };
    let domain = word.text()?;
    if !domain.get(1..).is_some_and(|rest| rest.contains('.')) {
        cur.warn(Diag::warning(
            word.span,
            format!(
                "domain '{domain}' contains no embedded dot, this configuration may not work properly (see RFC6265#5.2.3)."
            ),
        ));
    }
    persist.attributes.push(format!("domain={domain}"));
    Ok(())
}

fn age(cur: &mut Cursor<'_>, expects: &str) -> Result<u32, Diag> {
    if cur.is_empty() {
        return Err(cur.alert(format!("{expects} in seconds as argument.")));
    }
    cur.seconds()
}

fn attribute(cur: &mut Cursor<'_>, persist: &mut Persist) -> Result<(), Diag> {
    let Some(word) = cur.next() else {
        return Err(cur.alert("'attr' expects <value> as argument."));
    };
    let bad = word
        .bytes
        .iter()
        .position(|&b| b == b';' || b < b' ' || b == 127);
    if let Some(at) = bad {
        return Err(Diag::alert(
            word.part(at, at + 1),
            format!(
                "character '%x{:02X}' is not permitted in attribute value.",
                word.bytes[at]
            ),
        ));
    }
    persist.later_attributes.push(word.text()?.to_owned());
    Ok(())
}

const OPTIONS: &[&str] = &[
    "rewrite", "insert", "prefix", "indirect", "nocache", "postonly", "preserve", "httponly",
    "secure", "domain", "maxidle", "maxlife", "dynamic", "attr",
];

const UNKNOWN_OPTION: &str = "'cookie' supports 'rewrite', 'insert', 'prefix', 'indirect', 'nocache', 'postonly', 'domain', 'maxidle', 'dynamic', 'maxlife' and 'attr' options.";

#[cfg(test)]
mod tests {
    use super::super::KEYWORDS;
    use super::super::tests::{read, refused};

    #[test]
    fn mistakes_are_refused_in_haproxys_words() {
        assert_eq!(
            refused("cookie C insert rewrite"),
            "cookie 'rewrite', 'insert' and 'prefix' modes are incompatible."
        );
        assert_eq!(
            refused("cookie C prefix preserve"),
            "cookie 'preserve' requires at least 'insert' or 'indirect'."
        );
        assert_eq!(
            refused("cookie C insert attr a;b"),
            "character '%x3B' is not permitted in attribute value."
        );
    }

    #[test]
    fn a_domain_without_a_dot_is_doubted() {
        let dotless = read(KEYWORDS, "cookie C insert domain xy");
        assert_eq!(dotless.map(|(_, w)| w), Ok(1));
    }
}
