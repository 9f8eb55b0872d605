//! What stands around a line: the syslog header in its eight forms, levels and facilities.
//!
//! A [`Header`] knows everything but the moment and the level; [`write_line`] appends header and
//! text, cut so that both fit the target's length; a line feed ends it.

use crate::sample::{Census, Wall};

use super::dates::Dates;
use super::style::decimal;

/// How urgent a line is; syslog's numbers (RFC 5424, section 6.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The system is unusable.
    Emerg,
    /// Act at once.
    Alert,
    /// Critical.
    Crit,
    /// An error.
    Err,
    /// A warning.
    Warning,
    /// Normal but significant.
    Notice,
    /// Information.
    Info,
    /// For debugging.
    Debug,
}

impl Level {
    /// Every level and its name, most urgent first.
    pub const ALL: [(&'static str, Level); 8] = [
        ("emerg", Level::Emerg),
        ("alert", Level::Alert),
        ("crit", Level::Crit),
        ("err", Level::Err),
        ("warning", Level::Warning),
        ("notice", Level::Notice),
        ("info", Level::Info),
        ("debug", Level::Debug),
    ];

    /// The level of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Level> {
        let (_, level) = Level::ALL.iter().find(|(n, _)| *n == name)?;
        Some(*level)
    }

    /// The level's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Level::ALL[self as usize].0
    }
}

/// Who speaks, in syslog's sense: the place in [`FACILITIES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Facility(u8);

/// The facilities' names by number.
pub const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "auth2",
    "ftp", "ntp", "audit", "alert", "cron2", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];

impl Facility {
    /// The facility of this number.
    #[must_use]
    pub fn numbered(number: u8) -> Option<Facility> {
        (usize::from(number) < FACILITIES.len()).then_some(Facility(number))
    }

    /// The facility of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Facility> {
        let at = FACILITIES.iter().position(|n| *n == name)?;
        u8::try_from(at).ok().map(Facility)
    }
}

/// The form of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Syntax {
    /// `<134>Feb  6 12:14:14 haproxy[14389]: `
    Local,
    /// The same with the machine's name.
    Rfc3164,
    /// `<134>1 2009-02-06T12:14:14.655123+01:00 host haproxy 14389 - - `
    Rfc5424,
    /// `<134>`
    Priority,
    /// `<6>`
    Short,
    /// `<6>2009-02-06T12:14:14.655123+01:00 `
    Timed,
    /// `2009-02-06T12:14:14.655123+01:00 `
    Iso,
    /// Nothing.
    Raw,
}

impl Syntax {
    /// Every form and its name.
    pub const ALL: [(&'static str, Syntax); 8] = [
        ("local", Syntax::Local),
        ("rfc3164", Syntax::Rfc3164),
        ("rfc5424", Syntax::Rfc5424),
        ("priority", Syntax::Priority),
        ("short", Syntax::Short),
        ("timed", Syntax::Timed),
        ("iso", Syntax::Iso),
        ("raw", Syntax::Raw),
    ];

    /// The form of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Syntax> {
        let (_, syntax) = Syntax::ALL.iter().find(|(n, _)| *n == name)?;
        Some(*syntax)
    }
}

/// Who writes, for every line of a proxy or of the process.
#[derive(Debug, Clone, Copy)]
pub struct Author<'a> {
    /// The tag (`log-tag`), the program's name by default.
    pub tag: &'a [u8],
    /// The machine's name, when `log-send-hostname` wants it sent.
    pub hostname: Option<&'a str>,
    /// The process number.
    pub pid: u32,
}

/// One line to be written to any number of targets.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Who writes.
    pub author: Author<'a>,
    /// When.
    pub date: Wall,
    /// How urgent it is.
    pub level: Level,
    /// RFC 5424 structured data (`log-format-sd`), empty for none.
    pub structured: &'a [u8],
    /// The text.
    pub text: &'a [u8],
}

/// How a target wants its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The form.
    pub syntax: Syntax,
    /// Who speaks.
    pub facility: Facility,
    /// The most bytes a line may have before its line feed.
    pub len_max: usize,
}

/// Appends one whole line, its line feed included.
pub fn write_line(
    header: &Header,
    line: &Line<'_>,
    census: &dyn Census,
    dates: &mut Dates,
    out: &mut Vec<u8>,
) {
    let start = out.len();
    let author = &line.author;
    let pid = i64::from(author.pid);
    match header.syntax {
        Syntax::Raw => {}
        Syntax::Short => priority(line.level as i64, out),
        Syntax::Priority => priority(header.number(line.level), out),
        Syntax::Iso | Syntax::Timed => {
            if header.syntax == Syntax::Timed {
                priority(line.level as i64, out);
            }
            dates.iso(out, line.date, census);
            out.push(b' ');
        }
        Syntax::Local | Syntax::Rfc3164 => {
            priority(header.number(line.level), out);
            dates.syslog(out, line.date, census);
            out.push(b' ');
            if header.syntax == Syntax::Rfc3164 {
                out.extend_from_slice(author.hostname.unwrap_or("localhost").as_bytes());
                out.push(b' ');
            }
            out.extend_from_slice(author.tag);
            out.push(b'[');
            decimal(out, pid);
            out.extend_from_slice(b"]: ");
        }
        Syntax::Rfc5424 => {
            priority(header.number(line.level), out);
            out.extend_from_slice(b"1 ");
            dates.iso(out, line.date, census);
            out.push(b' ');
            out.extend_from_slice(author.hostname.unwrap_or("-").as_bytes());
            out.push(b' ');
            out.extend_from_slice(author.tag);
            out.push(b' ');
            decimal(out, pid);
            out.extend_from_slice(b" - ");
            let structured = line.structured;
            out.extend_from_slice(if structured.is_empty() {
                b"-"
            } else {
                structured
            });
            out.push(b' ');
        }
    }
    out.extend_from_slice(line.text);
    out.truncate(start + header.len_max);
    out.push(b'\n');
}

impl Header {
    fn number(&self, level: Level) -> i64 {
        i64::from(self.facility.0) * 8 + level as i64
    }
}

fn priority(number: i64, out: &mut Vec<u8>) {
    out.push(b'<');
    decimal(out, number);
    out.push(b'>');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::NoCensus;

    fn written(
        syntax: Syntax,
        len_max: usize,
        hostname: Option<&str>,
        structured: &[u8],
    ) -> String {
        let header = Header {
            syntax,
            facility: Facility::named("local3").expect("known"),
            len_max,
        };
        let line = Line {
            author: Author {
                tag: b"tg",
                hostname,
                pid: 30939,
            },
            date: Wall {
                secs: 1_795_302_798,
                micros: 45_319,
            },
            level: Level::Info,
            structured,
            text: b"127.0.0.1 abcdefghijklmnopqrstuvwxyz0123456789012345678901234567890123456789",
        };
        let mut out = Vec::new();
        write_line(&header, &line, &NoCensus, &mut Dates::default(), &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn lines_are_cut_where_haproxy_cuts_them() {
        let cut = |syntax| written(syntax, 80, None, b"[a@1 x=\"a\\]b\"]");
        assert_eq!(
            cut(Syntax::Local),
            "<158>Nov 21 23:13:18 tg[30939]: 127.0.0.1 abcdefghijklmnopqrstuvwxyz012345678901\n"
        );
        assert_eq!(
            cut(Syntax::Rfc3164),
            "<158>Nov 21 23:13:18 localhost tg[30939]: 127.0.0.1 abcdefghijklmnopqrstuvwxyz01\n"
        );
        assert_eq!(
            cut(Syntax::Rfc5424),
            "<158>1 2026-11-21T23:13:18.045319+00:00 - tg 30939 - [a@1 x=\"a\\]b\"] 127.0.0.1 ab\n"
        );
        assert_eq!(
            cut(Syntax::Timed),
            "<6>2026-11-21T23:13:18.045319+00:00 127.0.0.1 abcdefghijklmnopqrstuvwxyz01234567\n"
        );
        assert_eq!(
            cut(Syntax::Iso),
            "2026-11-21T23:13:18.045319+00:00 127.0.0.1 abcdefghijklmnopqrstuvwxyz01234567890\n"
        );
    }

    #[test]
    fn a_known_host_is_named() {
        let line = written(Syntax::Rfc5424, 1024, Some("vm"), b"");
        assert!(
            line.starts_with(
                "<158>1 2026-11-21T23:13:18.045319+00:00 vm tg 30939 - - 127.0.0.1 abc"
            )
        );
        assert!(written(Syntax::Priority, 1024, None, b"").starts_with("<158>127.0.0.1 "));
        assert!(written(Syntax::Short, 1024, None, b"").starts_with("<6>127.0.0.1 "));
        assert!(written(Syntax::Raw, 1024, None, b"").ends_with("789\n"));
    }

    #[test]
    fn names() {
        assert_eq!(Level::named("err"), Some(Level::Err));
        assert_eq!(Level::Warning.name(), "warning");
        assert_eq!(Facility::named("local9"), None);
        assert_eq!(Syntax::named("rfc5424"), Some(Syntax::Rfc5424));
    }
}
