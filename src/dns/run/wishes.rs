//! What `server` lines say about their resolution.
//!
//! Sentences of refusals are HAProxy's.

use crate::addr::Network;
use crate::lang::{Diag, Keyword, Sections, Span};

/// What a `server` line says about its resolution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerDraft {
    /// `resolvers`, and where it stands.
    pub resolvers: Option<(String, Span)>,
    /// `resolve-prefer`, `resolve-net`, `resolve-opts`.
    pub wishes: Wishes,
}

/// Which of several addresses a server takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// `resolve-prefer ipv4`; else IPv6 is asked for first.
    pub prefer_v4: bool,
    /// `resolve-net`.
    pub networks: Vec<Network>,
    /// `resolve-opts allow-dup-ip`.
    pub allow_duplicates: bool,
    /// `resolve-opts ignore-weight`.
    pub ignore_weight: bool,
}

/// The parameters of `server` lines.
pub const KEYWORDS: &[Keyword<ServerDraft>] = &[
    Keyword {
        name: "resolvers",
        sections: Sections::SERVER,
        usage: "<id>",
        doc: "The resolvers section that follows the server's name.",
        parse: |cur, draft| {
            let word = cur.expect("a resolvers section")?;
            draft.resolvers = Some((word.text()?.to_owned(), word.span));
            Ok(())
        },
    },
    Keyword {
        name: "resolve-prefer",
        sections: Sections::SERVER,
        usage: "ipv4|ipv6",
        doc: "The family that is asked for first.",
        parse: |cur, draft| {
            draft.wishes.prefer_v4 = cur.choice(
                "either ipv4 or ipv6 as argument.",
                &[("ipv4", true), ("ipv6", false)],
            )?;
            Ok(())
        },
    },
    Keyword {
        name: "resolve-net",
        sections: Sections::SERVER,
        usage: "<network>[,<network>]*",
        doc: "Networks whose addresses are preferred.",
        parse: |cur, draft| {
            let word = cur.expect("a list of networks.")?;
            let network = |text: &str| {
                let why = || {
                    Diag::alert(
                        word.span,
                        format!("'resolve-net' invalid network '{text}'."),
                    )
                };
                // haproxy: wants an address with a dot or colon; here: alike, so that `1` is refused.
                let plain = text
                    .contains(['.', ':'])
                    .then(|| text.parse().ok())
                    .flatten();
                plain.ok_or_else(why)
            };
            draft.wishes.networks = word
                .text()?
                .split(',')
                .map(network)
                .collect::<Result<_, _>>()?;
            Ok(())
        },
    },
    Keyword {
        name: "resolve-opts",
        sections: Sections::SERVER,
        usage: "<option>[,<option>]*",
        doc: "Whether servers may share an address, and whether SRV weights count.",
        parse: |cur, draft| {
            let Some(word) = cur.next() else {
                return Ok(());
            };
            for option in word.text()?.split(',') {
                match option {
                    "allow-dup-ip" => draft.wishes.allow_duplicates = true,
                    "prevent-dup-ip" => draft.wishes.allow_duplicates = false,
                    "ignore-weight" => draft.wishes.ignore_weight = true,
                    unknown => {
                        let words = format!(
                            "'resolve-opts' : unknown resolve-opts option '{unknown}', supported methods are 'allow-dup-ip', 'ignore-weight', and 'prevent-dup-ip'."
                        );
                        return Err(Diag::alert(word.span, words));
                    }
                }
            }
            Ok(())
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::run::draft::tests::read;

    #[test]
    fn parameters_of_servers() {
        let server = |text: &str| read(KEYWORDS, Sections::SERVER, text);
        let draft = server("resolvers r\nresolve-prefer ipv4\nresolve-net 10.0.0.0/8,fe80::/10\nresolve-opts allow-dup-ip,ignore-weight").unwrap();
        assert_eq!(draft.resolvers.unwrap().0, "r");
        assert!(
            draft.wishes.prefer_v4 && draft.wishes.allow_duplicates && draft.wishes.ignore_weight
        );
        assert_eq!(draft.wishes.networks.len(), 2);
        for text in [
            "resolve-prefer ipv5",
            "resolve-net 1,2",
            "resolve-net 1.2.3.4/33",
            "resolve-opts foo",
        ] {
            assert!(server(text).is_err(), "{text}");
        }
    }
}
