//! Commands on what TLS was given: certificates, authorities, revocation lists, lists of certificates.
//!
//! What they do is the [`Store`](crate::tls::Store)'s; here are the words.

use super::super::reply::Reply;
use super::{Call, Row, row};
use crate::site::Level;
use crate::tls::Kind;

pub(super) const ROWS: &[Row] = &[
    row(
        "show ssl cert",
        "show ssl cert [<certfile>]",
        "display the SSL certificates used in memory, or the details of a file",
        Level::Operator,
        |call| {
            let store = call.operator.tls();
            match call.word(3) {
                "" => long(Ok(store.certificates())),
                name => long(store.certificate(name)),
            }
        },
    ),
    row(
        "new ssl cert",
        "new ssl cert <certfile>",
        "create a new certificate file to be used in a crt-list or a directory",
        Level::Admin,
        |call| match name_of(call) {
            Ok(name) => said(call.operator.tls().new_certificate(name)),
            Err(reply) => reply,
        },
    ),
    row(
        "set ssl cert",
        "set ssl cert <certfile> <payload>",
        "replace a certificate file",
        Level::Admin,
        |call| {
            filled(call, |call, name, text| {
                said(call.operator.tls().set_certificate(name, text))
            })
        },
    ),
    row(
        "commit ssl cert",
        "commit ssl cert <certfile>",
        "commit a certificate file",
        Level::Admin,
        |call| match name_of(call) {
            Ok(name) => said(call.operator.tls().commit_certificate(name)),
            Err(reply) => reply,
        },
    ),
    row(
        "abort ssl cert",
        "abort ssl cert <certfile>",
        "abort a transaction for a certificate file",
        Level::Admin,
        |call| match name_of(call) {
            Ok(name) => said(call.operator.tls().abort_certificate(name)),
            Err(reply) => reply,
        },
    ),
    row(
        "del ssl cert",
        "del ssl cert <certfile>",
        "delete an unused certificate file",
        Level::Admin,
        |call| match name_of(call) {
            Ok(name) => said(call.operator.tls().delete_certificate(name)),
            Err(reply) => reply,
        },
    ),
    row(
        "show ssl ca-file",
        "show ssl ca-file [<cafile>[:<index>]]",
        "display the SSL CA files used in memory, or the details of a <cafile>, or a single certificate of index <index> of a CA file <cafile>",
        Level::Operator,
        |call| show_pile(call, Kind::Authorities),
    ),
    row(
        "new ssl ca-file",
        "new ssl ca-file <cafile>",
        "create a new CA file to be used in a crt-list",
        Level::Admin,
        |call| new_pile(call, Kind::Authorities),
    ),
    row(
        "set ssl ca-file",
        "set ssl ca-file <cafile> <payload>",
        "replace a CA file",
        Level::Admin,
        |call| set_pile(call, Kind::Authorities, false),
    ),
    row(
        "add ssl ca-file",
        "add ssl ca-file <cafile> <payload>",
        "add a certificate into the CA file",
        Level::Admin,
        |call| set_pile(call, Kind::Authorities, true),
    ),
    row(
        "commit ssl ca-file",
        "commit ssl ca-file <cafile>",
        "commit a CA file",
        Level::Admin,
        |call| commit_pile(call, Kind::Authorities),
    ),
    row(
        "abort ssl ca-file",
        "abort ssl ca-file <cafile>",
        "abort a transaction for a CA file",
        Level::Admin,
        |call| abort_pile(call, Kind::Authorities),
    ),
    row(
        "del ssl ca-file",
        "del ssl ca-file <cafile>",
        "delete an unused CA file",
        Level::Admin,
        |call| delete_pile(call, Kind::Authorities),
    ),
    row(
        "show ssl crl-file",
        "show ssl crl-file [<crlfile[:<index>>]]",
        "display the SSL CRL files used in memory, or the details of a <crlfile>, or a single CRL of index <index> of CRL file <crlfile>",
        Level::Operator,
        |call| show_pile(call, Kind::Revocations),
    ),
    row(
        "new ssl crl-file",
        "new ssl crl-file <crlfile>",
        "create a new CRL file to be used in a crt-list",
        Level::Admin,
        |call| new_pile(call, Kind::Revocations),
    ),
    row(
        "set ssl crl-file",
        "set ssl crl-file <crlfile> <payload>",
        "replace a CRL file",
        Level::Admin,
        |call| set_pile(call, Kind::Revocations, false),
    ),
    row(
        "commit ssl crl-file",
        "commit ssl crl-file <crlfile>",
        "commit a CRL file",
        Level::Admin,
        |call| commit_pile(call, Kind::Revocations),
    ),
    row(
        "abort ssl crl-file",
        "abort ssl crl-file <crlfile>",
        "abort a transaction for a CRL file",
        Level::Admin,
        |call| abort_pile(call, Kind::Revocations),
    ),
    row(
        "del ssl crl-file",
        "del ssl crl-file <crlfile>",
        "delete an unused CRL file",
        Level::Admin,
        |call| delete_pile(call, Kind::Revocations),
    ),
    row(
        "show ssl crt-list",
        "show ssl crt-list [-n] [<list>]",
        "show the list of crt-lists or the content of a crt-list file <list>",
        Level::Admin,
        show_list,
    ),
    row(
        "add ssl crt-list",
        "add ssl crt-list <list> <cert> [opts]*",
        "add to crt-list file <list> a line <cert> or a payload",
        Level::Admin,
        add_entry,
    ),
    row(
        "del ssl crt-list",
        "del ssl crt-list <list> <cert[:line]>",
        "delete a line <cert> from crt-list file <list>",
        Level::Admin,
        |call| {
            let (list, crt) = (call.word(3), call.word(4));
            if list.is_empty() || crt.is_empty() {
                let text =
                    "'del ssl crt-list' expects two parameters: a filename and a certificate name!";
                return Reply::error(text);
            }
            said(call.operator.tls().delete_entry(list, crt))
        },
    ),
    row(
        "show ssl sni",
        "show ssl sni [-f <frontend>]",
        "show the names that clients may ask for, and the certificates for them",
        Level::Operator,
        show_names,
    ),
    row(
        "show ssl ocsp-response",
        "show ssl ocsp-response [[text|base64] <id>]",
        "display the IDs of the OCSP responses used in memory, or the details of a single OCSP response (in text or base64 format)",
        Level::Operator,
        show_answer,
    ),
    row(
        "show ssl ocsp-updates",
        "show ssl ocsp-updates",
        "show which OCSP responses are kept fresh, when they are asked for next, and how that went",
        Level::Operator,
        |call| long(Ok(call.operator.tls().renewals())),
    ),
    row(
        "update ssl ocsp-response",
        "update ssl ocsp-response <certfile>",
        "ask a certificate's issuer for an OCSP response now",
        Level::Operator,
        |call| match name_of(call) {
            Ok(name) => said(call.operator.tls().ask_now(name)),
            Err(reply) => reply,
        },
    ),
    row(
        "set ssl ocsp-response",
        "set ssl ocsp-response <resp|payload>",
        "update a certificate's OCSP Response from a base64-encode DER",
        Level::Operator,
        |call| {
            let text = call.payload.unwrap_or(call.word(3).as_bytes()).to_vec();
            if text.is_empty() {
                return Reply::error(
                    "'set ssl ocsp-response' expects response in base64 encoding.",
                );
            }
            said(call.operator.tls().set_answer(&text))
        },
    ),
    row(
        "show tls-keys",
        "show tls-keys [id|*]",
        "show tls keys references or dump tls ticket keys when id specified",
        Level::Operator,
        |call| long(call.operator.tls().ticket_keys(call.word(2))),
    ),
    row(
        "set ssl tls-key",
        "set ssl tls-key [id|file] <key>",
        "set the next TLS key for the <id> or <file> listener to <key>",
        Level::Operator,
        |call| {
            let (file, key) = (call.word(3), call.word(4));
            if file.is_empty() || key.is_empty() {
                let text = "'set ssl tls-key' expects a listener and the next TLS key (base64).";
                return Reply::error(text);
            }
            said(call.operator.tls().set_ticket_key(file, key))
        },
    ),
    row(
        "show ssl providers",
        "show ssl providers",
        "show loaded SSL providers",
        Level::Operator,
        |_| Reply::Text(b"Loaded providers : \n\t- rustls\n\t- ring\n".to_vec()),
    ),
    row(
        "reload ssl",
        "reload ssl",
        "read again the files of certificates, authorities and revocation lists, and use what has changed",
        Level::Admin,
        |call| said(call.operator.tls().reload()),
    ),
];

/// A text of any length, or why there is none.
fn long(text: Result<String, String>) -> Reply {
    match text {
        Ok(text) => Reply::long(text.into_bytes()),
        Err(why) => Reply::error(why),
    }
}

fn said(outcome: Result<String, String>) -> Reply {
    match outcome {
        Ok(text) => Reply::notice(text),
        Err(why) => Reply::error(why),
    }
}

/// With the name and the payload that have to follow.
fn filled(call: &mut Call<'_>, run: impl FnOnce(&mut Call<'_>, &str, &[u8]) -> Reply) -> Reply {
    let name = call.word(3);
    match call.payload {
        Some(text) if !name.is_empty() => run(call, name, text),
        _ => Reply::error(format!(
            "'{} {} {}' expects a filename and a payload",
            call.word(0),
            call.word(1),
            call.word(2)
        )),
    }
}

fn show_pile(call: &mut Call<'_>, kind: Kind) -> Reply {
    let store = call.operator.tls();
    match call.word(3) {
        "" => long(Ok(store.piles(kind))),
        name => long(store.pile(kind, name)),
    }
}

/// The name that has to follow, or what is said without.
fn name_of<'a>(call: &Call<'a>) -> Result<&'a str, Reply> {
    match call.word(3) {
        "" => Err(Reply::error(format!(
            "'{} {} {}' expects a filename",
            call.word(0),
            call.word(1),
            call.word(2)
        ))),
        name => Ok(name),
    }
}

fn new_pile(call: &mut Call<'_>, kind: Kind) -> Reply {
    match name_of(call) {
        Ok(name) => said(call.operator.tls().new_pile(kind, name)),
        Err(reply) => reply,
    }
}

fn set_pile(call: &mut Call<'_>, kind: Kind, adds: bool) -> Reply {
    filled(call, |call, name, text| {
        said(call.operator.tls().set_pile(kind, name, text, adds))
    })
}

fn commit_pile(call: &mut Call<'_>, kind: Kind) -> Reply {
    match name_of(call) {
        Ok(name) => said(call.operator.tls().commit_pile(kind, name)),
        Err(reply) => reply,
    }
}

fn abort_pile(call: &mut Call<'_>, kind: Kind) -> Reply {
    match name_of(call) {
        Ok(name) => said(call.operator.tls().abort_pile(kind, name)),
        Err(reply) => reply,
    }
}

fn delete_pile(call: &mut Call<'_>, kind: Kind) -> Reply {
    match name_of(call) {
        Ok(name) => said(call.operator.tls().delete_pile(kind, name)),
        Err(reply) => reply,
    }
}

fn show_list(call: &mut Call<'_>) -> Reply {
    let store = call.operator.tls();
    let (numbered, name) = match call.word(3) {
        "-n" => (true, call.word(4)),
        name => (false, name),
    };
    match name {
        "" if numbered => Reply::error("'-n' option is only valid when a filename is specified"),
        "" => long(Ok(store.lists())),
        name => long(store.list(name, numbered)),
    }
}

fn add_entry(call: &mut Call<'_>) -> Reply {
    let list = call.word(3);
    let line = match call.payload {
        Some(text) => String::from_utf8_lossy(text).into_owned(),
        None => call.words.get(4..).unwrap_or_default().join(" "),
    };
    if list.is_empty() || line.trim().is_empty() {
        let text = "'add ssl crt-list' expects a filename and a certificate name";
        return Reply::error(text);
    }
    said(call.operator.tls().add_entry(list, line.trim()))
}

fn show_names(call: &mut Call<'_>) -> Reply {
    let wanted = match call.word(3) {
        "-f" => Some(call.word(4).to_owned()),
        _ => None,
    };
    if let Some(name) = &wanted
        && call.operator.frontend(name).is_none()
    {
        return Reply::error("Couldn't find the specified frontend!");
    }
    let text = call.operator.tls().names(|place| {
        let frontend = place.split('/').next().unwrap_or_default();
        wanted.as_deref().is_none_or(|wanted| wanted == frontend)
    });
    Reply::long(text.into_bytes())
}

fn show_answer(call: &mut Call<'_>) -> Reply {
    let store = call.operator.tls();
    match (call.word(3), call.word(4)) {
        ("", _) => long(Ok(store.answers())),
        (format @ ("text" | "base64"), id) if !id.is_empty() => {
            long(store.answer(id, format == "text"))
        }
        (id, _) => long(store.answer(id, true)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::ask;
    use super::*;

    #[test]
    fn files_are_made_filled_and_thrown_away() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/ca.pem");
        let pem = std::fs::read_to_string(path).expect("a fixture");
        let pem = pem.trim();
        let said = ask(
            Level::Admin,
            &format!(
                "new ssl ca-file c; new ssl ca-file c\nset ssl ca-file c <<\n{pem}\n\nset ssl ca-file d <<\n{pem}\n\n"
            ),
        );
        for part in [
            "New CA file created 'c'!",
            "file 'c' already exists!",
            "transaction created for CA c!",
            "Can't replace a CA file which is not referenced by the configuration!",
        ] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }

    #[test]
    fn only_who_may_changes() {
        assert!(ask(Level::Operator, "new ssl cert a\n").contains("Permission denied"));
        assert!(ask(Level::Operator, "show ssl cert\n").starts_with("# filename"));
        assert!(ask(Level::Admin, "set ssl cert a\n").contains("expects a filename and a payload"));
    }
}
