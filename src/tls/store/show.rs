//! What was loaded, in words: `show ssl …`.

use std::fmt::Write as _;
use std::sync::Arc;

use super::pile::{Kind, Pile};
use super::{State, Store, staple};
use crate::tls::bundle::{Bundle, Parts};
use crate::tls::text;
use crate::x509::Certificate;

/// A text, or why there is none.
type Shown = Result<String, String>;

impl Store {
    /// `show ssl cert`: all of them by name.
    pub fn certificates(&self) -> String {
        let state = self.lock();
        let mut out = String::new();
        if let Some((pending, _)) = &state.pending.bundle {
            let _ = write!(out, "# transaction\n*{pending}\n");
        }
        out.push_str("# filename\n");
        for name in state.bundles.keys() {
            let _ = writeln!(out, "{name}");
        }
        out
    }

    /// `show ssl cert <file>`: one, with `*` the one that is being changed; with `.ocsp` the answer about it.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn certificate(&self, name: &str) -> Shown {
        let state = self.lock();
        let unknown = || {
            "Can't display the certificate: Not found or the certificate is a bundle!\n".to_owned()
        };
        let (asked, bundle, is_pending) = match name.strip_prefix('*') {
            Some(name) => {
                let (own, parts) = state.pending.bundle.as_ref().ok_or_else(unknown)?;
                let asked = is_of(name, own).ok_or_else(unknown)?;
                (asked, state.would_be(own, parts), true)
            }
            None => {
                let own = state
                    .bundles
                    .keys()
                    .find(|own| ***own == *name)
                    .or_else(|| {
                        let stem = name.strip_suffix(".ocsp")?;
                        state.bundles.keys().find(|own| ***own == *stem)
                    });
                let own = own.ok_or_else(unknown)?;
                let asked = is_of(name, own).ok_or_else(unknown)?;
                (asked, state.bundles[own].clone(), false)
            }
        };
        if asked == Asked::Answer {
            let bytes = bundle.as_ref().and_then(|bundle| bundle.ocsp());
            return staple::shown(bytes.ok_or("no OCSP response for this certificate.")?);
        }
        let mut out = format!("Filename: {name}\nStatus: ");
        let Some(bundle) = bundle else {
            out.push_str("Empty\n");
            return Ok(out);
        };
        let used = !is_pending && state.is_used(&bundle.path);
        out.push_str(if used { "Used\n" } else { "Unused\n" });
        describe(&bundle, &mut out);
        Ok(out)
    }

    /// `show ssl ca-file`, `show ssl crl-file`: all of them by name.
    pub fn piles(&self, kind: Kind) -> String {
        let state = self.lock();
        let mut out = String::new();
        let mut line = |star: &str, name: &str, pile: &Pile| {
            let _ = write!(out, "{star}{name}");
            if kind == Kind::Authorities {
                let _ = write!(out, " - {} certificate(s)", pile.items.len());
            }
            out.push('\n');
        };
        if let Some((name, pile)) = &state.pending.piles[kind as usize] {
            line("# transaction\n*", name, pile);
        }
        let mut star = "# filename\n";
        for (name, pile) in &state.piles[kind as usize] {
            line(star, name, pile);
            star = "";
        }
        out
    }

    /// `show ssl ca-file <file>[:<number>]`, and for `crl-file`.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn pile(&self, kind: Kind, wanted: &str) -> Shown {
        let state = self.lock();
        let bare = wanted.trim_start_matches('\\');
        let (pending, rest) = match bare.strip_prefix('*') {
            Some(rest) => (true, rest),
            None => (false, bare),
        };
        let found = |name: &str| match (pending, &state.pending.piles[kind as usize]) {
            (true, Some((own, pile))) if **own == *name => Some(pile.clone()),
            (true, _) => None,
            (false, _) => state.piles[kind as usize].get(name).cloned(),
        };
        let numbered = rest.rsplit_once(':').and_then(|(name, number)| {
            let number: usize = number.parse().ok()?;
            Some((name, found(name)?, Some(number)))
        });
        let (name, pile, number) = numbered
            .or_else(|| Some((rest, found(rest)?, None)))
            .ok_or_else(|| format!("Can't display the {} : Not found!\n", kind.file()))?;
        let used = !pending && state.names_pile(name);
        let star = if pending { "*" } else { "" };
        let status = if used { "Used" } else { "Unused" };
        let mut out = format!("Filename: {star}{name}\nStatus: {status}\n");
        for (at, der) in pile.items.iter().enumerate() {
            if number.is_some_and(|number| number != at + 1) {
                continue;
            }
            match kind {
                Kind::Authorities => {
                    let _ = write!(out, "\nCertificate #{}:\n", at + 1);
                    text::certificate(der, &mut out);
                }
                Kind::Revocations => {
                    let _ = write!(out, "\nCertificate Revocation List #{}:\n", at + 1);
                    text::revocations(der, &mut out);
                }
            }
        }
        Ok(out)
    }

    /// `show ssl crt-list`: all of them by name.
    pub fn lists(&self) -> String {
        let state = self.lock();
        let names = state.entries.keys();
        names.map(|name| format!("{name}\n")).collect()
    }

    /// `show ssl crt-list <file>`: its lines, numbered on demand.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn list(&self, name: &str, numbered: bool) -> Shown {
        let name = name.trim_end_matches('/');
        let state = self.lock();
        let entries = state
            .entries
            .get(name)
            .ok_or("didn't find the specified filename\n")?;
        let mut out = format!("# {name}\n");
        for line in &entries.lines {
            let _ = writeln!(out, "{}", line.shown(numbered));
        }
        Ok(out)
    }

    /// `show tls-keys`: the files of keys; of one (`<number>`, `<file>`) or of all (`*`), the keys.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn ticket_keys(&self, wanted: &str) -> Shown {
        let state = self.lock();
        let mut out = match wanted {
            "" => String::from("# id (file)\n"),
            _ => String::from("# id secret\n"),
        };
        let mut found = matches!(wanted, "" | "*");
        for (id, file) in state.key_files.iter().enumerate() {
            if wanted.is_empty() {
                let _ = writeln!(out, "{id} ({})", file.name);
                continue;
            }
            let is_meant = is_key_file(wanted, id, &file.name);
            if wanted == "*" || is_meant {
                found = true;
                let _ = writeln!(out, "# {id} ({})", file.name);
                for (at, key) in file.written().iter().enumerate() {
                    let _ = writeln!(out, "{id}.{at} {key}");
                }
            }
        }
        match found {
            true => Ok(out),
            false => Err("'show tls-keys' unable to locate referenced filename".to_owned()),
        }
    }

    /// `set ssl tls-key`
    ///
    /// # Errors
    /// There is no such file, or it is no key.
    pub fn set_ticket_key(&self, wanted: &str, key: &str) -> Shown {
        let state = self.lock();
        let mut files = state.key_files.iter().enumerate();
        let found = files.find(|(id, file)| is_key_file(wanted, *id, &file.name));
        let (_, file) = found.ok_or("'set ssl tls-key' unable to locate referenced filename")?;
        file.add(key)?;
        Ok("TLS ticket key updated!\n".to_owned())
    }

    /// `show ssl sni`: the names that clients may ask for, by line; `wanted` is asked with each line's place.
    pub fn names(&self, wanted: impl Fn(&str) -> bool) -> String {
        let mut out = String::from(
            "# Frontend/Bind\tSNI\tNegative Filter\tType\tFilename\tNotAfter\tNotBefore\n",
        );
        for acceptor in self.lock().live_acceptors() {
            let place = acceptor.place();
            if !wanted(place) {
                continue;
            }
            let shelf = acceptor.shelf();
            let mut rows: Vec<String> = shelf
                .names()
                .map(|(name, entry)| row(place, &name, entry.excluded(), &entry.bundle))
                .collect();
            rows.sort();
            rows.extend(
                shelf
                    .defaults()
                    .iter()
                    .map(|entry| row(place, "*", &[], &entry.bundle)),
            );
            rows.iter().for_each(|row| out.push_str(row));
        }
        out
    }
}

fn row(place: &str, name: &str, excluded: &[String], bundle: &Bundle) -> String {
    let out: Vec<String> = excluded.iter().map(|name| format!("!{name}")).collect();
    let out = match out.is_empty() {
        true => "-".to_owned(),
        false => out.join(" "),
    };
    let kind = if bundle.is_rsa { "rsa" } else { "ecdsa" };
    let (before, after) = bundle.validity();
    let (after, before) = (text::time(after), text::time(before));
    format!(
        "{place}\t{name}\t{out}\t{kind}\t{}\t{after}\t{before}\n",
        bundle.path
    )
}

fn is_key_file(wanted: &str, id: usize, name: &str) -> bool {
    let number = wanted.strip_prefix('#').unwrap_or(wanted);
    wanted == name || number.parse() == Ok(id)
}

/// What of a certificate is asked for.
#[derive(PartialEq, Eq)]
enum Asked {
    Itself,
    Answer,
}

fn is_of(name: &str, own: &str) -> Option<Asked> {
    match name.strip_prefix(own)? {
        "" => Some(Asked::Itself),
        ".ocsp" => Some(Asked::Answer),
        _ => None,
    }
}

fn describe(bundle: &Bundle, out: &mut String) {
    text::certificate(&bundle.key.cert[0], out);
    for above in &bundle.key.cert[1..] {
        let Some(read) = Certificate::read(above) else {
            continue;
        };
        let _ = write!(
            out,
            "Chain Subject: {}\nChain Issuer: {}\n",
            text::name(read.subject),
            text::name(read.issuer)
        );
    }
    if bundle.ocsp().is_some() {
        let key = staple::key_of(bundle).unwrap_or_default();
        let _ = writeln!(out, "OCSP Response Key: {key}");
    }
}

impl State {
    /// What a certificate under change would be, if it can be.
    fn would_be(&self, name: &Arc<str>, parts: &Parts) -> Option<Arc<Bundle>> {
        let made = Bundle::of(name, parts.clone(), &self.means);
        made.ok().map(Arc::new)
    }

    /// Whether a line goes by these authorities or revocation lists.
    fn names_pile(&self, name: &str) -> bool {
        let servers = self.live_connectors();
        self.live_acceptors()
            .iter()
            .any(|own| own.names_pile(name, self))
            || servers.iter().any(|own| own.names_pile(name))
    }
}
