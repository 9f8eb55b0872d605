//! The keywords that declare captures, and the draft they fill.

use crate::lang::{Cursor, Diag, Keyword, Sections, Word};

use super::capture::{CaptureSlots, CookieCapture};

/// What a frontend says about captures.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Captures of the request.
    pub request: CaptureSlots,
    /// Captures of the response.
    pub response: CaptureSlots,
    /// `capture cookie`.
    pub cookie: Option<CookieCapture>,
}

/// Every keyword of this room.
pub const KEYWORDS: &[Keyword<Draft>] = &[
    Keyword {
        name: "capture",
        sections: Sections::FRONTEND,
        usage: "{ cookie <name> len <length> | { request | response } header <name> len <length> }",
        doc: "Keeps a cookie or a field for the log.",
        parse: capture,
    },
    Keyword {
        name: "declare capture",
        sections: Sections::FRONTEND,
        usage: "{ request | response } len <length>",
        doc: "Declares a capture slot that rules fill.",
        parse: declare_capture,
    },
];

fn capture(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let kind = cur.next().map_or("", Word::str);
    match kind {
        "cookie" => {
            let usage = "'capture' expects 'cookie' <cookie_name> 'len' <len>.";
            let (name, len_max) = name_and_len(cur, usage)?;
            draft.cookie = Some(CookieCapture {
                name: name.into(),
                len_max,
            });
        }
        "request" | "response" => {
            let usage = format!("'capture {kind}' expects 'header' <header_name> 'len' <len>.");
            if !cur.take("header") {
                return Err(Diag::alert(cur.here(), usage));
            }
            let (name, len_max) = name_and_len(cur, &usage)?;
            let slots = match kind {
                "request" => &mut draft.request,
                _ => &mut draft.response,
            };
            slots.declare(Some(name), len_max);
        }
        _ => {
            return Err(
                cur.alert("'capture' expects 'cookie' or 'request header' or 'response header'.")
            );
        }
    }
    cur.end()
}

fn name_and_len<'w>(cur: &mut Cursor<'w>, usage: &str) -> Result<(&'w [u8], usize), Diag> {
    let name = cur.next();
    let len = cur.take("len").then(|| cur.next()).flatten();
    let (Some(name), Some(len)) = (name, len) else {
        return Err(Diag::alert(cur.here(), usage));
    };
    Ok((&name.bytes, length(cur, len)?))
}

fn length(cur: &Cursor<'_>, word: &Word) -> Result<usize, Diag> {
    match word.str().parse::<usize>() {
        Ok(len) if len > 0 => Ok(len),
        _ => Err(cur.alert(format!("'{}' is not a length above 0.", word.shown()))),
    }
}

fn declare_capture(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let usage = "'declare capture' expects 'request' or 'response' 'len' <length>.";
    let direction = cur.next().map_or("", Word::str);
    let len = cur.take("len").then(|| cur.next()).flatten();
    let Some(len) = len else {
        return Err(Diag::alert(cur.here(), usage));
    };
    let len_max = length(cur, len)?;
    match direction {
        "request" => draft.request.declare(None, len_max),
        "response" => draft.response.declare(None, len_max),
        _ => return Err(Diag::alert(cur.keyword_span(), usage)),
    };
    cur.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Env, lexer};

    fn read(line: &str, draft: &mut Draft) -> Result<(), String> {
        let env = Env::default();
        let words = lexer::read(line, &env).expect("a line");
        let row = &KEYWORDS[usize::from(words[0].is("declare"))];
        let mut cur = Cursor::after(&words, row.name.split(' ').count(), &env);
        (row.parse)(&mut cur, draft).map_err(|diag| diag.message)
    }

    #[test]
    fn slots_are_declared_in_order() {
        let mut draft = Draft::default();
        for line in [
            "capture request header Host len 20",
            "capture response header Server len 5",
            "capture cookie SESS len 32",
            "declare capture request len 9",
        ] {
            read(line, &mut draft).expect(line);
        }
        assert_eq!((draft.request.len(), draft.response.len()), (2, 1));
        assert_eq!(draft.request.len_max(1), Some(9));
        assert_eq!(draft.cookie.map(|cookie| cookie.len_max), Some(32));
    }

    #[test]
    fn mistakes_have_haproxys_words() {
        let wrong = |line| read(line, &mut Draft::default()).expect_err("wrong");
        assert_eq!(
            wrong("capture foo"),
            "'capture' expects 'cookie' or 'request header' or 'response header'."
        );
        assert_eq!(
            wrong("capture request header a"),
            "'capture request' expects 'header' <header_name> 'len' <len>."
        );
        assert_eq!(
            wrong("capture cookie a"),
            "'capture' expects 'cookie' <cookie_name> 'len' <len>."
        );
    }
}
