//! How a handshake failed, as OpenSSL numbers and words it.

use crate::sample::expr::Sampled;
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::{Kind, Value};

use super::{Tls, client, server};

/// Of both sides.
pub(in crate::sample::fetch) const ROWS: &[Fetch] = both_sides! {
    "_err"     Int number, "The handshake's failure as a number.";
    "_err_str" Str words,  "The handshake's failure in words.";
};

fn number(tls: Tls<'_>) -> Sampled<'_> {
    Sampled::maybe_int(tls.map(|t| i64::from(t.error)))
}

fn words(tls: Tls<'_>) -> Sampled<'_> {
    Sampled::of(tls.map(|t| match t.error {
        0 => Value::str(b"error:00000000:lib(0)::reason(0)"),
        other => Value::string(format!("error:{other:08X}:SSL routines::{}", reason(other))),
    }))
}

/// OpenSSL's words for the reason in the lower bits of a failure's number.
fn reason(number: u32) -> String {
    const LIBRARY_BITS: u32 = 23;
    const REASONS: &[(u32, &str)] = &[
        (101, "no suitable key share"),
        (118, "no suitable signature algorithm"),
        (134, "certificate verify failed"),
        (146, "data length too long"),
        (147, "decryption failed or bad record mac"),
        (156, "http request"),
        (159, "length mismatch"),
        (193, "no shared cipher"),
        (199, "peer did not return a certificate"),
        (234, "callback failed"),
        (235, "no application protocol"),
        (244, "unexpected message"),
        (258, "unsupported protocol"),
        (267, "wrong version number"),
        (1010, "sslv3 alert unexpected message"),
        (1020, "sslv3 alert bad record mac"),
        (1040, "sslv3 alert handshake failure"),
        (1042, "sslv3 alert bad certificate"),
        (1043, "sslv3 alert unsupported certificate"),
        (1044, "sslv3 alert certificate revoked"),
        (1045, "sslv3 alert certificate expired"),
        (1046, "sslv3 alert certificate unknown"),
        (1047, "sslv3 alert illegal parameter"),
        (1048, "tlsv1 alert unknown ca"),
        (1049, "tlsv1 alert access denied"),
        (1050, "tlsv1 alert decode error"),
        (1051, "tlsv1 alert decrypt error"),
        (1070, "tlsv1 alert protocol version"),
        (1071, "tlsv1 alert insufficient security"),
        (1080, "tlsv1 alert internal error"),
        (1112, "tlsv1 unrecognized name"),
        (1116, "tlsv13 alert certificate required"),
        (1120, "tlsv1 alert no application protocol"),
    ];
    let number = number & ((1 << LIBRARY_BITS) - 1);
    match REASONS.iter().find(|(known, _)| *known == number) {
        Some((_, words)) => (*words).to_owned(),
        None => format!("reason({number})"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::with_both_sides;
    use super::reason;
    use crate::sample::rig::yields_with;

    #[test]
    fn a_handshake_that_succeeded_says_so() {
        with_both_sides(|facts| {
            for side in ["ssl_fc", "ssl_bc"] {
                yields_with(facts, &format!("{side}_err"), "0");
                let words = "error:00000000:lib(0)::reason(0)";
                yields_with(facts, &format!("{side}_err_str"), words);
            }
        });
    }

    #[test]
    fn a_reason_is_known_without_its_library() {
        assert_eq!(reason(0x0a00_0412), "sslv3 alert bad certificate");
        assert_eq!(reason(9), "reason(9)");
    }
}
