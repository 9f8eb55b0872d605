//! Cookie persistence: which server a cookie names, what becomes of it on the way to the server, and what cookie the
//! client is given. Pure functions over the values of one cookie; finding the field in a message and the server by its
//! value is the caller's part. What either side's cookie came to is an [`outcome`], for the log.

mod computed;
mod date;
mod outcome;

use std::fmt::Write as _;

pub use computed::{Computed, dynamic_value};
pub use outcome::{ClientCookie, ServerCookie};

/// `cookie`: a backend's persistence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persist {
    /// The name of the cookie.
    pub name: String,
    /// Who makes it.
    pub mode: Mode,
    /// The server never sees it, and the client gets it only when it changes.
    pub indirect: bool,
    /// An answer that sets it and could be cached gets `Cache-Control: private`.
    pub no_cache: bool,
    /// Set it in answers to POST only.
    pub post_only: bool,
    /// A server's own cookie of the same name stays as it is.
    pub preserve: bool,
    /// Add `HttpOnly`.
    pub http_only: bool,
    /// Add `Secure`.
    pub secure: bool,
    /// Values are to be computed from the servers' addresses.
    pub dynamic: bool,
    /// Seconds without use after which it is not followed.
    pub max_idle: Option<u32>,
    /// Seconds since it was first given after which it is not followed.
    pub max_life: Option<u32>,
    /// Attributes before the flags (`domain=…`).
    pub attributes: Vec<String>,
    /// Attributes after the flags (`attr`).
    pub later_attributes: Vec<String>,
}

/// Who makes the cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The servers alone; it is only read.
    #[default]
    Passive,
    /// The proxy adds one of its own.
    Insert,
    /// The proxy replaces the value of the server's.
    Rewrite,
    /// The proxy puts the server's value and `~` before the application's.
    Prefix,
}

/// What a client's cookie says, before it is known whether such a server exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented<'a> {
    /// The value that names a server; none when its time is over.
    pub server: Option<&'a [u8]>,
    /// Why it names none.
    pub state: Age,
    /// What the application should see: the value without our prefix.
    pub rest: &'a [u8],
    /// When it was last given, in seconds of the calendar.
    pub last: Option<u64>,
    /// When it was first given.
    pub first: Option<u64>,
}

/// How a cookie stands in time; a date more than a day ahead counts as one long past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// It may be followed.
    Fresh,
    /// Not used for longer than `maxidle`.
    Expired,
    /// Given longer ago than `maxlife`.
    Old,
}

/// What the answer's cookie depends on.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The value that stands for the server that answered; none: the server has no cookie.
    pub server: Option<&'a str>,
    /// The client's cookie named this very server and was followed.
    pub followed: bool,
    /// When the client's cookie was last given.
    pub last: Option<u64>,
    /// When it was first given.
    pub first: Option<u64>,
    /// The request was a POST.
    pub is_post: bool,
    /// The server set a cookie of this name itself.
    pub server_set_one: bool,
    /// A rule said not to persist.
    pub ignored: bool,
    /// Seconds of the calendar.
    pub now: u64,
}

/// What to do with a cookie of this name that the server sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Leave it.
    Keep,
    /// Take the whole field out.
    Remove,
    /// Give it this value.
    Replace(Vec<u8>),
}

impl Persist {
    /// A cookie that is only read.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            mode: Mode::Passive,
            indirect: false,
            no_cache: false,
            post_only: false,
            preserve: false,
            http_only: false,
            secure: false,
            dynamic: false,
            max_idle: None,
            max_life: None,
            attributes: Vec::new(),
            later_attributes: Vec::new(),
        }
    }

    /// Reads the value of a client's cookie.
    #[must_use]
    pub fn read<'a>(&self, value: &'a [u8], now: u64) -> Presented<'a> {
        let mut presented = Presented {
            server: Some(value),
            state: Age::Fresh,
            rest: value,
            last: None,
            first: None,
        };
        match self.mode {
            Mode::Prefix => {
                if let Some(end) = value.iter().position(|&b| b == PREFIX_END) {
                    presented.server = Some(&value[..end]);
                    presented.rest = &value[end + 1..];
                }
            }
            Mode::Insert | Mode::Rewrite | Mode::Passive => {
                let mut parts = value.split(|&b| b == DATE_START);
                presented.server = parts.next();
                presented.last = parts.next().and_then(date::read);
                presented.first = parts.next().and_then(date::read);
            }
        }
        presented.state = self.age(presented.last, presented.first, now);
        if presented.state != Age::Fresh {
            presented.server = None;
        }
        presented
    }

    fn age(&self, last: Option<u64>, first: Option<u64>, now: u64) -> Age {
        let over = |date: Option<u64>, limit: Option<u32>| match (date, limit) {
            (Some(date), Some(limit)) => {
                now.saturating_sub(date) > u64::from(limit) || date.saturating_sub(now) > DAY
            }
            _ => false,
        };
        if over(first, self.max_life) {
            Age::Old
        } else if over(last, self.max_idle) {
            Age::Expired
        } else {
            Age::Fresh
        }
    }

    /// Whether a client's cookie is kept from the server.
    #[must_use]
    pub fn hides_from_server(&self) -> bool {
        self.indirect && self.mode == Mode::Insert
    }

    /// What becomes of a cookie of this name that the server sets; `server` is the value that stands for it, `followed`
    /// says that the client's cookie had named it.
    #[must_use]
    pub fn on_server_cookie(
        &self,
        server: Option<&str>,
        followed: bool,
        value: &[u8],
    ) -> (Fate, ServerCookie) {
        if self.preserve {
            return (Fate::Keep, ServerCookie::Passed);
        }
        match (self.mode, server) {
            (Mode::Insert, _) => (Fate::Remove, ServerCookie::Deleted),
            (Mode::Rewrite, Some(own)) => {
                let replaced = own.as_bytes().to_vec();
                (Fate::Replace(replaced), ServerCookie::Rewritten)
            }
            (Mode::Prefix, Some(own)) => {
                let prefixed = [own.as_bytes(), &[PREFIX_END], value].concat();
                (Fate::Replace(prefixed), ServerCookie::Rewritten)
            }
            (Mode::Passive, _) if self.indirect && followed => {
                (Fate::Remove, ServerCookie::Deleted)
            }
            (Mode::Rewrite | Mode::Prefix | Mode::Passive, _) => (Fate::Keep, ServerCookie::Passed),
        }
    }

    /// The value of the `Set-Cookie` field to add to the answer, if one is due.
    #[must_use]
    pub fn answer(&self, at: &Situation<'_>) -> Option<(String, ServerCookie)> {
        let due = self.mode == Mode::Insert
            && !(at.server_set_one && self.preserve)
            && (!at.followed || self.needs_renewal(at))
            && (!self.post_only || at.is_post)
            && !at.ignored;
        if !due {
            return None;
        }
        let mut field = format!("{}=", self.name);
        let Some(server) = at.server else {
            field.push_str("; Expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/");
            self.write_attributes(&mut field);
            return Some((field, ServerCookie::Inserted));
        };
        field.push_str(server);
        if self.max_idle.is_some() || self.max_life.is_some() {
            let _ = write!(field, "|{}", date::written(at.now));
        }
        if self.max_life.is_some() {
            let first = at.first.unwrap_or(at.now);
            let _ = write!(field, "|{}", date::written(first));
        }
        field.push_str("; path=/");
        self.write_attributes(&mut field);
        let state = if at.followed {
            ServerCookie::Updated
        } else {
            ServerCookie::Inserted
        };
        Some((field, state))
    }

    fn needs_renewal(&self, at: &Situation<'_>) -> bool {
        let dated = self.max_idle.is_some() || at.last.is_some();
        let stale = dated && at.last.is_none_or(|last| last < at.now);
        stale || self.max_life.is_some() != at.first.is_some()
    }

    fn write_attributes(&self, field: &mut String) {
        for attribute in &self.attributes {
            let _ = write!(field, "; {attribute}");
        }
        if self.http_only {
            field.push_str("; HttpOnly");
        }
        if self.secure {
            field.push_str("; Secure");
        }
        for attribute in &self.later_attributes {
            let _ = write!(field, "; {attribute}");
        }
    }
}

/// Ends the server's part of a prefixed value.
const PREFIX_END: u8 = b'~';
/// Begins a date in an inserted value.
const DATE_START: u8 = b'|';
/// How far ahead a date may lie, for clocks that differ.
const DAY: u64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_303_360;

    fn insert() -> Persist {
        Persist {
            mode: Mode::Insert,
            ..Persist::named("C")
        }
    }

    fn situation() -> Situation<'static> {
        Situation {
            server: Some("a"),
            followed: false,
            last: None,
            first: None,
            is_post: false,
            server_set_one: false,
            ignored: false,
            now: NOW,
        }
    }

    fn field(persist: &Persist, at: Situation<'_>) -> Option<String> {
        persist.answer(&at).map(|(field, _)| field)
    }

    #[test]
    fn fields_are_haproxys() {
        // Observed on haproxy 2.6.12.
        assert_eq!(
            field(&insert(), situation()).as_deref(),
            Some("C=a; path=/")
        );
        let decorated = Persist {
            http_only: true,
            secure: true,
            attributes: vec!["domain=.a.b".into(), "domain=c.d".into()],
            later_attributes: vec!["SameSite=Lax".into()],
            ..insert()
        };
        assert_eq!(
            field(&decorated, situation()).as_deref(),
            Some("C=a; path=/; domain=.a.b; domain=c.d; HttpOnly; Secure; SameSite=Lax")
        );
        let nobody = Situation {
            server: None,
            ..situation()
        };
        assert_eq!(
            field(&insert(), nobody).as_deref(),
            Some("C=; Expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/")
        );
        let dated = Persist {
            max_idle: Some(3_600),
            max_life: Some(7_200),
            ..insert()
        };
        assert_eq!(
            field(&dated, situation()).as_deref(),
            Some("C=a|awInw|awInw; path=/")
        );
    }

    #[test]
    fn a_followed_cookie_is_renewed_only_for_its_dates() {
        let followed = Situation {
            followed: true,
            ..situation()
        };
        assert_eq!(insert().answer(&followed), None);
        let idle = Persist {
            max_idle: Some(3_600),
            ..insert()
        };
        let renewed = idle.answer(&followed).expect("it has no date");
        assert_eq!(renewed.1, ServerCookie::Updated);
        let recent = Situation {
            last: Some(NOW),
            ..followed
        };
        assert_eq!(idle.answer(&recent), None);
        let stale = Situation {
            last: Some(NOW - 8),
            ..followed
        };
        assert!(idle.answer(&stale).is_some());
        assert!(insert().answer(&stale).is_some(), "the date is taken off");
    }

    #[test]
    fn when_no_cookie_is_given() {
        let post_only = Persist {
            post_only: true,
            ..insert()
        };
        assert_eq!(post_only.answer(&situation()), None);
        let preserving = Persist {
            preserve: true,
            ..insert()
        };
        let own = Situation {
            server_set_one: true,
            ..situation()
        };
        assert_eq!(preserving.answer(&own), None);
        assert!(insert().answer(&own).is_some());
        let ignored = Situation {
            ignored: true,
            ..situation()
        };
        assert_eq!(insert().answer(&ignored), None);
        assert_eq!(Persist::named("C").answer(&situation()), None);
    }

    #[test]
    fn dates_decide_whether_a_cookie_is_followed() {
        let dated = Persist {
            max_idle: Some(3_600),
            max_life: Some(7_200),
            ..insert()
        };
        let read = |value: &'static str| {
            let presented = dated.read(value.as_bytes(), NOW);
            (presented.server.is_some(), presented.state)
        };
        assert_eq!(read("a"), (true, Age::Fresh));
        assert_eq!(read("a|AAAAA"), (true, Age::Fresh));
        assert_eq!(read("a|AAAAB|AAAAB"), (false, Age::Old));
        assert_eq!(read("a|AAAAB"), (false, Age::Expired));
        assert_eq!(read("a|zzzzz|zzzzz"), (false, Age::Old));
        assert_eq!(read("a|zzzzz"), (false, Age::Expired));
        assert_eq!(read("a|awInw|awInw"), (true, Age::Fresh));
        assert_eq!(dated.read(b"a|awInw", NOW).last, Some(NOW));
        assert_eq!(read("a|?|\u{e9}"), (true, Age::Fresh));
    }

    #[test]
    fn prefixes_come_off_and_go_on() {
        let prefix = Persist {
            mode: Mode::Prefix,
            ..Persist::named("C")
        };
        let presented = prefix.read(b"a~sess", NOW);
        assert_eq!(presented.server, Some(&b"a"[..]));
        assert_eq!(presented.rest, b"sess");
        assert_eq!(prefix.read(b"b", NOW).server, Some(&b"b"[..]));
        let (fate, state) = prefix.on_server_cookie(Some("a"), false, b"sess");
        assert_eq!(fate, Fate::Replace(b"a~sess".to_vec()));
        assert_eq!(state.letter(), 'R');
    }

    #[test]
    fn a_servers_own_cookie_meets_its_fate() {
        let fate =
            |persist: &Persist, followed| persist.on_server_cookie(Some("a"), followed, b"x").0;
        assert_eq!(fate(&insert(), false), Fate::Remove);
        let kept = Persist {
            preserve: true,
            ..insert()
        };
        assert_eq!(fate(&kept, false), Fate::Keep);
        let rewrite = Persist {
            mode: Mode::Rewrite,
            ..Persist::named("C")
        };
        assert_eq!(fate(&rewrite, false), Fate::Replace(b"a".to_vec()));
        let indirect = Persist {
            indirect: true,
            ..Persist::named("C")
        };
        assert_eq!(fate(&indirect, false), Fate::Keep);
        assert_eq!(fate(&indirect, true), Fate::Remove);
    }
}
