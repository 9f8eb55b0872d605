//! `/etc/nsswitch.conf`: which sources a database has, in which order, and what each outcome leads to.
//!
//! A line is `hosts: files [NOTFOUND=return] dns`. Later lines for a database replace earlier ones. A line that does not
//! parse leaves the database at its default, as the C library does. Words that no code here answers stay in the order as
//! [`Source::Skipped`]: they count as unavailable, and [`Switch::skipped`] names them for one warning each.

use super::{FILE_BYTES_MAX, lines};
use crate::dns::Root;

/// The databases that sluice asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// Host names.
    Hosts,
    /// Users.
    Passwd,
    /// Groups.
    Group,
    /// Service ports.
    Services,
}

impl Database {
    /// Its word in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hosts => "hosts",
            Self::Passwd => "passwd",
            Self::Group => "group",
            Self::Services => "services",
        }
    }

    /// Whether `source` can answer for it here.
    fn answered_by(self, source: &Source) -> bool {
        match source {
            Source::Files => true,
            Source::Dns | Source::MyHostname => self == Self::Hosts,
            Source::Skipped(_) => false,
        }
    }
}

/// One place to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The database's file; also what `compat` means.
    Files,
    /// The nameservers.
    Dns,
    /// The host's own name, `localhost`, `_gateway`.
    MyHostname,
    /// A source that sluice does not have.
    Skipped(String),
}

impl Source {
    fn named(word: &str) -> Self {
        match word {
            "files" | "compat" => Self::Files,
            "dns" => Self::Dns,
            "myhostname" => Self::MyHostname,
            other => Self::Skipped(other.to_owned()),
        }
    }

    /// Its word in the file.
    pub fn word(&self) -> &str {
        match self {
            Self::Files => "files",
            Self::Dns => "dns",
            Self::MyHostname => "myhostname",
            Self::Skipped(word) => word,
        }
    }
}

/// How asking one source ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has the entry.
    Success,
    /// It has no such entry.
    NotFound,
    /// It cannot be asked at all.
    Unavailable,
    /// It cannot answer at the moment.
    TryAgain,
}

/// What follows an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Stop with what there is.
    Return,
    /// Ask the next source.
    Continue,
}

/// A source and what each of its outcomes leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The place to ask.
    pub source: Source,
    actions: [Action; 4],
}

impl Entry {
    fn new(source: Source) -> Self {
        Self {
            source,
            actions: [
                Action::Return,
                Action::Continue,
                Action::Continue,
                Action::Continue,
            ],
        }
    }

    /// What follows `status`.
    pub fn action(&self, status: Status) -> Action {
        self.actions[status as usize]
    }
}

/// The order of one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    database: Database,
    entries: Vec<Entry>,
}

impl Switch {
    /// The order of `database` below `root`; its default when the file or the line is missing.
    pub fn load(root: &Root, database: Database) -> Self {
        match root.read("etc/nsswitch.conf", FILE_BYTES_MAX) {
            Ok(Some(bytes)) => Self::parse(&bytes, database),
            Ok(None) | Err(_) => Self::default_of(database),
        }
    }

    /// The order that the bytes of a file give to `database`.
    pub fn parse(bytes: &[u8], database: Database) -> Self {
        let mut entries = None;
        for line in lines(bytes) {
            let line = String::from_utf8_lossy(
                line.split(|byte| *byte == b'#').next().unwrap_or_default(),
            );
            let Some((word, rest)) = line.trim_start().split_once(':') else {
                continue;
            };
            if word.trim_end() == database.word() {
                entries = parse_entries(rest);
            }
        }
        match entries {
            Some(entries) => Self { database, entries },
            None => Self::default_of(database),
        }
    }

    /// The order without a file.
    pub fn default_of(database: Database) -> Self {
        let entries = match database {
            Database::Hosts => vec![Entry::new(Source::Files), Entry::new(Source::Dns)],
            Database::Passwd | Database::Group | Database::Services => {
                vec![Entry::new(Source::Files)]
            }
        };
        Self { database, entries }
    }

    /// The sources in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The words of the line that sluice cannot ask, each once.
    pub fn skipped(&self) -> Vec<&str> {
        let mut words: Vec<&str> = Vec::new();
        for entry in &self.entries {
            let word = entry.source.word();
            if !self.database.answered_by(&entry.source) && !words.contains(&word) {
                words.push(word);
            }
        }
        words
    }
}

/// The words after the colon; `None` if they do not parse.
fn parse_entries(text: &str) -> Option<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (words, after) = inside.split_once(']')?;
            apply(entries.last_mut()?, words)?;
            rest = after.trim_start();
            continue;
        }
        let end = rest
            .find(|c: char| c.is_ascii_whitespace() || c == '[')
            .unwrap_or(rest.len());
        if entries.len() == SOURCES_MAX {
            return None;
        }
        entries.push(Entry::new(Source::named(&rest[..end])));
        rest = rest[end..].trim_start();
    }
    Some(entries)
}

/// Applies `NOTFOUND=return !UNAVAIL=continue` to the source before it.
fn apply(entry: &mut Entry, words: &str) -> Option<()> {
    for word in words.split_ascii_whitespace() {
        let (status, action) = word.split_once('=')?;
        let (negated, status) = match status.strip_prefix('!') {
            Some(status) => (true, status),
            None => (false, status),
        };
        let named = STATUS_WORDS
            .iter()
            .position(|known| status.eq_ignore_ascii_case(known))?;
        let action = match action.to_ascii_lowercase().as_str() {
            // glibc joins the members of a group from several sources; here `merge` stops like `return`, because only the
            // number of the entry is ever asked for, never its members.
            "return" | "merge" => Action::Return,
            "continue" => Action::Continue,
            _ => return None,
        };
        for (at, slot) in entry.actions.iter_mut().enumerate() {
            if (at == named) != negated {
                *slot = action;
            }
        }
    }
    Some(())
}

/// The words of the outcomes, in the order of [`Status`].
const STATUS_WORDS: [&str; 4] = ["success", "notfound", "unavail", "tryagain"];
/// The most sources one line may name.
const SOURCES_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn words(switch: &Switch) -> Vec<&str> {
        switch
            .entries()
            .iter()
            .map(|entry| entry.source.word())
            .collect()
    }

    #[test]
    fn reads_sources_and_actions() {
        let text = b"# c\npasswd: compat systemd\nhosts:\tfiles mdns4_minimal [NOTFOUND=return]dns [!UNAVAIL=return] myhostname # x\n";
        let hosts = Switch::parse(text, Database::Hosts);
        assert_eq!(
            words(&hosts),
            ["files", "mdns4_minimal", "dns", "myhostname"]
        );
        assert_eq!(hosts.entries()[1].action(Status::NotFound), Action::Return);
        assert_eq!(
            hosts.entries()[1].action(Status::Unavailable),
            Action::Continue
        );
        let dns = &hosts.entries()[2];
        assert_eq!(dns.action(Status::Unavailable), Action::Continue);
        assert_eq!(dns.action(Status::NotFound), Action::Return);
        assert_eq!(dns.action(Status::TryAgain), Action::Return);
        assert_eq!(hosts.skipped(), ["mdns4_minimal"]);
        let passwd = Switch::parse(text, Database::Passwd);
        assert_eq!(words(&passwd), ["files", "systemd"]);
        assert_eq!(passwd.skipped(), ["systemd"]);
    }

    #[test]
    fn a_missing_or_broken_line_means_the_default() {
        for text in [
            &b""[..],
            b"hosts files",
            b"hosts: files [",
            b"hosts: [NOTFOUND=return] dns",
            b"hosts: dns [WHAT=return]",
        ] {
            assert_eq!(
                words(&Switch::parse(text, Database::Hosts)),
                ["files", "dns"],
                "{text:?}"
            );
        }
        assert!(words(&Switch::parse(b"hosts:\n", Database::Hosts)).is_empty());
        assert_eq!(
            words(&Switch::parse(b"hosts: dns\nhosts: files", Database::Hosts)),
            ["files"]
        );
    }
}
