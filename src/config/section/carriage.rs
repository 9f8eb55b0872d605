//! What `bind` and `server` lines alike ask of the kernel for their connections.

use crate::config::draft::CarriageDraft;
use crate::lang::{Cursor, Diag, Keyword, Sections};
use crate::sys::options::MD5_KEY_MAX;

/// The rows of `bind` lines.
pub(crate) const BIND_KEYWORDS: &[Keyword<CarriageDraft>] = &rows(Sections::BIND);
/// The rows of `server` lines.
pub(crate) const SERVER_KEYWORDS: &[Keyword<CarriageDraft>] = &rows(Sections::SERVER);

const fn rows(sections: Sections) -> [Keyword<CarriageDraft>; 3] {
    [
        Keyword {
            name: "cc",
            sections,
            usage: "<algorithm>",
            doc: "How the kernel avoids congestion on these connections, by the name it gives that.",
            parse: |cur, c| {
                c.congestion = Some(algorithm(cur)?);
                Ok(())
            },
        },
        Keyword {
            name: "namespace",
            sections,
            usage: "<name>",
            doc: "Listens, or connects, in a network namespace.",
            parse: |cur, c| {
                c.namespace = Some(cur.expect("a namespace name")?.clone());
                Ok(())
            },
        },
        Keyword {
            name: "tcp-md5sig",
            sections,
            usage: "<password>",
            doc: "Takes and sends packets that are signed by this password alone (RFC 2385), as routers ask for.",
            parse: |cur, c| {
                c.md5_key = Some(password(cur)?);
                Ok(())
            },
        },
    ]
}

/// Reads the password that signs packets.
fn password(cur: &mut Cursor<'_>) -> Result<Vec<u8>, Diag> {
    let word = cur.expect("a password")?;
    if word.bytes.is_empty() || word.bytes.len() > MD5_KEY_MAX {
        let text = format!("'tcp-md5sig' : a password has 1 to {MD5_KEY_MAX} bytes.");
        return Err(Diag::alert(word.span, text));
    }
    Ok(word.bytes.to_vec())
}

/// Reads the name of a way to avoid congestion.
fn algorithm(cur: &mut Cursor<'_>) -> Result<String, Diag> {
    /// What the kernel takes (`TCP_CA_NAME_MAX`, with its final zero).
    const LEN_MAX: usize = 15;
    let word = cur.expect("the name of a congestion control algorithm")?;
    let name = word.text()?;
    if name.is_empty() || name.len() > LEN_MAX {
        let text = format!("'cc' : '{name}' is no name of 1 to {LEN_MAX} letters.");
        return Err(Diag::alert(word.span, text));
    }
    Ok(name.to_owned())
}
