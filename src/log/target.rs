//! Where lines go: the `log` keyword's arguments, parsed.
//!
//! A [`Target`] pairs a [`Place`] with how lines look there (length, form, facility), which levels
//! pass, and which share of the lines (`sample`). Opening sockets and sending belong to
//! [`Sender`](super::Sender).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::addr::{Accepts, Place as AddrPlace, Transport, Written};
use crate::lang::{Cursor, Diag, Span, Word, suggest};

use super::line::{FACILITIES, Facility, Header, Level, Syntax};

/// One `log` line.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where it was written.
    pub span: Span,
    /// Where its lines go.
    pub place: Place,
    /// How long a line may be.
    pub len_max: usize,
    /// The form, when one was written; `log-send-hostname` changes the default.
    pub syntax: Option<Syntax>,
    /// The facility.
    pub facility: Facility,
    /// Lines less urgent than this are not sent.
    pub level: Level,
    /// Lines more urgent than this are sent as this.
    pub level_cap: Level,
    /// The share of the lines that is sent.
    pub sample: Option<Sample>,
    /// The `log-profile` section that says how lines look here.
    pub profile: Option<Arc<str>>,
}

/// Where lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Datagrams to an internet or unix address.
    Datagram(Written),
    /// A descriptor: standard output is 1, standard error 2.
    Descriptor(i32),
    /// A `ring` section.
    Ring(Arc<str>),
    /// A backend in `mode log`, which chooses one of its servers for each line.
    Backend(Arc<str>),
    /// A syslog server over a stream, through a ring of its own.
    Stream(Written),
}

/// The shortest and longest line a target may ask for, and the usual one.
pub const LEN_MIN: usize = 80;
/// The longest line.
pub const LEN_MAX: usize = 65_535;
/// The length without `len`.
pub const LEN_DEFAULT: usize = 1024;
/// Syslog's port.
const PORT: u16 = 514;

impl Target {
    /// Reads the arguments of `log` after the keyword; the address comes first.
    ///
    /// # Errors
    /// HAProxy's sentence about the first argument that is wrong.
    pub fn parse(cur: &mut Cursor<'_>) -> Result<Target, Diag> {
        let Some(address) = cur.next() else {
            return Err(too_few(cur));
        };
        let place = place(address, cur)?;
        let mut len_max = LEN_DEFAULT;
        let mut syntax = None;
        let mut sample = None;
        let mut profile = None;
        loop {
            if cur.take("len") {
                len_max = len(cur)?;
            } else if cur.take("format") {
                syntax = Some(form(cur)?);
            } else if cur.take("sample") {
                sample = Some(Sample::parse(cur)?);
            } else if cur.take("profile") {
                profile = Some(cur.next().ok_or_else(|| too_few(cur))?.text()?.into());
            } else {
                break;
            }
        }
        let facility = facility(cur)?;
        let level = level(cur, "unknown optional log level")?.unwrap_or(Level::Debug);
        let level_cap = level_cap(cur)?;
        cur.end()?;
        Ok(Target {
            span: address.span,
            place,
            len_max,
            syntax,
            facility,
            level,
            level_cap,
            sample,
            profile,
        })
    }

    /// How lines look at this target when `with_hostname` says whether `log-send-hostname` is on.
    #[must_use]
    pub fn header(&self, with_hostname: bool) -> Header {
        let default = if with_hostname {
            Syntax::Rfc3164
        } else {
            Syntax::Local
        };
        Header {
            syntax: self.syntax.unwrap_or(default),
            facility: self.facility,
            len_max: self.len_max,
        }
    }

    /// Whether a line of this level is sent at all, counting it against the sample.
    #[must_use]
    pub fn takes(&self, level: Level) -> bool {
        level <= self.level && self.sample.as_ref().is_none_or(Sample::hits)
    }
}

fn too_few(cur: &Cursor<'_>) -> Diag {
    Diag::alert(
        cur.here(),
        "log : expects <address> and <facility> or global as arguments",
    )
}

fn place(word: &Word, cur: &Cursor<'_>) -> Result<Place, Diag> {
    let text = word.text()?;
    match text {
        "stdout" => return Ok(Place::Descriptor(1)),
        "stderr" => return Ok(Place::Descriptor(2)),
        _ => {}
    }
    if let Some(name) = text.strip_prefix("ring@") {
        return Ok(Place::Ring(name.into()));
    }
    if let Some(name) = text.strip_prefix("backend@") {
        return Ok(Place::Backend(name.into()));
    }
    let value = |name: &str| {
        let value = cur.env().value(name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    };
    let expanded = crate::addr::expand(text, &value)
        .map_err(|message| Diag::alert(word.span, format!("log : {message}")))?;
    let mut written = Written::parse(&expanded, "", &Accepts::LOG)
        .map_err(|message| Diag::alert(word.span, format!("log : {message}")))?;
    if let AddrPlace::Fd(number) = written.place {
        return Ok(Place::Descriptor(number));
    }
    if written.ports == crate::addr::Ports::None && !matches!(written.place, AddrPlace::Unix(_)) {
        written.ports = crate::addr::Ports::One(PORT);
    }
    match written.transport {
        Transport::Stream | Transport::Multipath => Ok(Place::Stream(written)),
        Transport::Unsaid | Transport::Datagram => Ok(Place::Datagram(written)),
    }
}

fn len(cur: &mut Cursor<'_>) -> Result<usize, Diag> {
    let word = cur.next().ok_or_else(|| too_few(cur))?;
    match word.str().parse::<usize>() {
        Ok(len) if (LEN_MIN..=LEN_MAX).contains(&len) => Ok(len),
        _ => Err(cur.alert(format!(
            "log : invalid log length '{}', must be between {LEN_MIN} and {LEN_MAX}",
            word.shown()
        ))),
    }
}

fn form(cur: &mut Cursor<'_>) -> Result<Syntax, Diag> {
    let word = cur.next().ok_or_else(|| too_few(cur))?;
    Syntax::named(word.str()).ok_or_else(|| {
        cur.alert(format!("log : unknown log format '{}'", word.shown()))
            .nearest(suggest(
                word.str(),
                Syntax::ALL.iter().map(|(name, _)| *name),
            ))
    })
}

fn facility(cur: &mut Cursor<'_>) -> Result<Facility, Diag> {
    let word = cur.next().ok_or_else(|| too_few(cur))?;
    Facility::named(word.str()).ok_or_else(|| {
        cur.alert(format!("log : unknown log facility '{}'", word.shown()))
            .nearest(suggest(word.str(), FACILITIES))
    })
}

fn level(cur: &mut Cursor<'_>, complaint: &str) -> Result<Option<Level>, Diag> {
    let Some(word) = cur.next() else {
        return Ok(None);
    };
    match Level::named(word.str()) {
        Some(level) => Ok(Some(level)),
        None => Err(cur
            .alert(format!("log : {complaint} '{}'", word.shown()))
            .nearest(suggest(
                word.str(),
                Level::ALL.iter().map(|(name, _)| *name),
            ))),
    }
}

fn level_cap(cur: &mut Cursor<'_>) -> Result<Level, Diag> {
    Ok(level(cur, "unknown optional minimum log level")?.unwrap_or(Level::Emerg))
}

/// Names the nearest known word as the fix, leaving HAProxy's sentence as it is.
trait Nearest {
    fn nearest(self, word: Option<&str>) -> Diag;
}

impl Nearest for Diag {
    fn nearest(self, word: Option<&str>) -> Diag {
        match word {
            Some(word) => self.with_fix(word),
            None => self,
        }
    }
}

/// A share of the lines: `sample 1,3-4:5` sends the first, third and fourth of every five.
#[derive(Debug, Clone)]
pub struct Sample {
    ranges: Vec<(u32, u32)>,
    size: u32,
    /// Lines seen so far; shared by all workers.
    seen: Arc<AtomicU32>,
}

impl Sample {
    fn parse(cur: &mut Cursor<'_>) -> Result<Sample, Diag> {
        let word = cur.next().ok_or_else(|| too_few(cur))?;
        let text = word.text()?;
        let Some((list, size_text)) = text.split_once(':') else {
            return Err(cur.alert("log : Missing sample size"));
        };
        let mut ranges = Vec::new();
        for range in list.split(',') {
            let (low, high) = range.split_once('-').unwrap_or((range, range));
            let (Ok(low), Ok(high)) = (low.parse::<u32>(), high.parse::<u32>()) else {
                return Err(cur.alert(format!("log : wrong sample range '{range}'")));
            };
            if low == 0 || high < low {
                return Err(cur.alert(format!("log : wrong sample range '{range}'")));
            }
            ranges.push((low, high));
        }
        ranges.sort_unstable();
        if ranges.windows(2).any(|pair| pair[1].0 <= pair[0].1) {
            return Err(cur.alert(format!("log : overlapping sample ranges in '{list}'")));
        }
        let size = size_text
            .parse::<u32>()
            .ok()
            .filter(|size| *size > 0)
            .ok_or_else(|| {
                cur.alert(format!(
                    "log : wrong sample size '{size_text}' for sample range '{list}'"
                ))
            })?;
        let top = ranges.last().map_or(0, |(_, high)| *high);
        if size < top {
            return Err(cur.alert(format!(
                "log : sample size {size} should be greater or equal to {top} the maximum of the \
                 high ranges limits"
            )));
        }
        Ok(Sample {
            ranges,
            size,
            seen: Arc::default(),
        })
    }

    /// Counts one line and tells whether it belongs to the share.
    fn hits(&self) -> bool {
        let step = |seen: u32| Some((seen + 1) % self.size);
        let seen = self
            .seen
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, step)
            .unwrap_or_else(|seen| seen);
        self.ranges
            .iter()
            .any(|(low, high)| (*low..=*high).contains(&(seen + 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Env, Span};

    fn parse(text: &str) -> Result<Target, String> {
        let words: Vec<Word> = text
            .split(' ')
            .map(|w| Word::new(w, Span::default()))
            .collect();
        let env = Env::default();
        Target::parse(&mut Cursor::new(&words, &env)).map_err(|diag| diag.message)
    }

    #[test]
    fn the_usual_lines() {
        let target = parse("127.0.0.1 local0").expect("legal");
        assert_eq!(
            (target.len_max, target.level, target.level_cap),
            (1024, Level::Debug, Level::Emerg)
        );
        assert!(matches!(
            target.place,
            Place::Datagram(Written {
                ports: crate::addr::Ports::One(514),
                ..
            })
        ));
        let target = parse("stdout len 2048 format raw daemon notice err").expect("legal");
        assert_eq!(target.place, Place::Descriptor(1));
        assert_eq!(target.header(true).syntax, Syntax::Raw);
        assert_eq!(
            (target.level, target.level_cap),
            (Level::Notice, Level::Err)
        );
        assert!(target.takes(Level::Alert) && !target.takes(Level::Info));
        assert!(matches!(
            parse("/dev/log local0").expect("legal").place,
            Place::Datagram(_)
        ));
        assert!(matches!(
            parse("tcp@127.0.0.1:99 local0").expect("legal").place,
            Place::Stream(_)
        ));
        assert_eq!(
            parse("ring@r1 local0").expect("legal").place,
            Place::Ring("r1".into())
        );
    }

    #[test]
    fn mistakes_have_haproxys_words() {
        let wrong = |text| parse(text).expect_err("wrong");
        assert_eq!(
            wrong("127.0.0.1"),
            "log : expects <address> and <facility> or global as arguments"
        );
        assert_eq!(wrong("127.0.0.1 foo"), "log : unknown log facility 'foo'");
        assert_eq!(
            wrong("127.0.0.1 local0 foo"),
            "log : unknown optional log level 'foo'"
        );
        assert_eq!(
            wrong("127.0.0.1 local0 info foo"),
            "log : unknown optional minimum log level 'foo'"
        );
        assert_eq!(
            wrong("127.0.0.1 len 10 local0"),
            "log : invalid log length '10', must be between 80 and 65535"
        );
        assert_eq!(
            wrong("127.0.0.1 format foo local0"),
            "log : unknown log format 'foo'"
        );
        assert_eq!(
            wrong("127.0.0.1 sample 1 local0"),
            "log : Missing sample size"
        );
        assert_eq!(
            wrong("127.0.0.1 sample 1:2,3 local0"),
            "log : wrong sample size '2,3' for sample range '1'"
        );
        assert_eq!(
            wrong("127.0.0.1 sample 3:2 local0"),
            "log : sample size 2 should be greater or equal to 3 the maximum of the high ranges limits"
        );
    }

    #[test]
    fn samples_repeat() {
        let target = parse("127.0.0.1 sample 2,4-5:6 local0").expect("legal");
        let hits: Vec<bool> = (0..12).map(|_| target.takes(Level::Info)).collect();
        let once = [false, true, false, true, true, false];
        assert_eq!(hits[..6], once);
        assert_eq!(hits[6..], once);
    }
}
