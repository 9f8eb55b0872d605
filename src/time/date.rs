//! Calendar dates in the forms that logs, HTTP and the statistics use.
//!
//! [`Zone`] is the local zone, found once at start (`TZ`, else `/etc/localtime`) because later the process may live in an
//! empty root. [`Dates`] belongs to one thread and remembers the last second it split into fields, so that a busy
//! worker does the calendar's arithmetic once a second. Moments come as seconds since 1970 and microseconds.

use std::io::Write;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// The local time zone.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The zone that the value of `TZ` names, or the machine's where it is unset; `read` opens files. Whatever cannot be
    /// understood is UTC, as in the C library.
    pub fn local(tz: Option<&str>, read: &dyn Fn(&str) -> Option<Vec<u8>>) -> Self {
        let file = |path: &str| {
            let name = path.strip_prefix(ZONES).unwrap_or(path);
            TimeZone::tzif(name, &read(path)?).ok()
        };
        let zone = match tz.map(|tz| tz.strip_prefix(':').unwrap_or(tz)) {
            None => file("/etc/localtime"),
            Some("") => None,
            Some(path) if path.starts_with('/') => file(path),
            Some(name) => {
                let plain = !name.split('/').any(|part| part == "..");
                let known = plain.then(|| file(&format!("{ZONES}{name}"))).flatten();
                known.or_else(|| TimeZone::posix(name).ok())
            }
        };
        Self(zone.unwrap_or(TimeZone::UTC))
    }

    /// The zone of this process: its `TZ`, its files.
    pub fn of_process() -> Self {
        let tz = std::env::var("TZ").ok();
        Self::local(tz.as_deref(), &|path| std::fs::read(path).ok())
    }

    /// Seconds east of Greenwich at the moment `secs`.
    pub fn offset(&self, secs: i64) -> i32 {
        Timestamp::from_second(secs).map_or(0, |at| self.0.to_offset(at).seconds())
    }
}

const ZONES: &str = "/usr/share/zoneinfo/";

/// A moment split into the fields of a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// The year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 0 is Sunday.
    pub weekday: u8,
}

impl Civil {
    /// The fields of a moment shifted by `offset` seconds.
    pub fn at(secs: i64, offset: i32) -> Self {
        let local = secs.saturating_add(i64::from(offset));
        let (days, clock) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        // Days since 0000-03-01, counted in eras of 400 years: leap days fall at the end of a year that begins in March.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let small = |n: i64| u8::try_from(n).unwrap_or(0);
        Self {
            year: i32::try_from(year).unwrap_or(i32::MAX),
            month: small(month),
            day: small(day_of_year - (153 * month_from_march + 2) / 5 + 1),
            hour: small(clock / 3600),
            minute: small(clock / 60 % 60),
            second: small(clock % 60),
            weekday: small((days + 4).rem_euclid(7)),
        }
    }

    /// The month in three letters.
    pub fn month_name(&self) -> &'static str {
        MONTHS[usize::from(self.month.clamp(1, 12)) - 1]
    }

    fn weekday_name(&self) -> &'static str {
        WEEKDAYS[usize::from(self.weekday % 7)]
    }
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// Writes dates; remembers the last second.
#[derive(Clone, Debug)]
pub struct Dates {
    zone: Zone,
    secs: i64,
    offset: i32,
    local: Civil,
    utc: Civil,
}

impl Dates {
    /// Dates in the given local zone.
    pub fn new(zone: Zone) -> Self {
        let epoch = Civil::at(0, 0);
        let mut dates = Self {
            zone,
            secs: 0,
            offset: 0,
            local: epoch,
            utc: epoch,
        };
        dates.split(0);
        dates
    }

    /// `06/Feb/2009:12:14:14.655`, local: the accept date of logs.
    pub fn log(&mut self, secs: i64, millis: u32, out: &mut Vec<u8>) {
        let civil = self.local(secs);
        log_second(&civil, out);
        out.push(b'.');
        digits(millis % 1000, 3, out);
    }

    /// `06/Feb/2009:12:14:14 +0100`, local.
    pub fn log_local(&mut self, secs: i64, out: &mut Vec<u8>) {
        let civil = self.local(secs);
        log_second(&civil, out);
        out.push(b' ');
        zone_offset(self.offset, "", out);
    }

    /// `Fri, 06 Feb 2009 11:14:14 GMT`, as HTTP wants it (RFC 9110 section 5.6.7).
    pub fn http(&mut self, secs: i64, out: &mut Vec<u8>) {
        let c = self.utc(secs);
        out.extend_from_slice(c.weekday_name().as_bytes());
        out.extend_from_slice(b", ");
        digits(u32::from(c.day), 2, out);
        let _ = write!(out, " {} {:04} ", c.month_name(), c.year);
        clock(&c, out);
        out.extend_from_slice(b" GMT");
    }

    /// `Feb  6 12:14:14`, local: RFC 3164.
    pub fn rfc3164(&mut self, secs: i64, out: &mut Vec<u8>) {
        let c = self.local(secs);
        let _ = write!(out, "{} {:2} ", c.month_name(), c.day);
        clock(&c, out);
    }

    /// `2009-02-06T12:14:14.655123+01:00`, local: RFC 5424 and the `iso` log format.
    pub fn rfc5424(&mut self, secs: i64, micros: u32, out: &mut Vec<u8>) {
        let c = self.local(secs);
        let _ = write!(out, "{:04}-{:02}-{:02}T", c.year, c.month, c.day);
        clock(&c, out);
        out.push(b'.');
        digits(micros % 1_000_000, 6, out);
        zone_offset(self.offset, ":", out);
    }

    /// A date by a `strftime` pattern, local (`ltime`) or in UTC (`utime`). What cannot be written is left out.
    pub fn pattern(&self, pattern: &str, secs: i64, utc: bool, out: &mut Vec<u8>) {
        let Ok(at) = Timestamp::from_second(secs) else {
            return;
        };
        let zone = if utc {
            TimeZone::UTC
        } else {
            self.zone.0.clone()
        };
        if let Ok(text) = jiff::fmt::strtime::format(pattern, &at.to_zoned(zone)) {
            out.extend_from_slice(text.as_bytes());
        }
    }

    /// The fields of a moment in the local zone.
    pub fn local(&mut self, secs: i64) -> Civil {
        self.split(secs);
        self.local
    }

    /// The fields of a moment in UTC.
    pub fn utc(&mut self, secs: i64) -> Civil {
        self.split(secs);
        self.utc
    }

    fn split(&mut self, secs: i64) {
        if secs == self.secs && secs != 0 {
            return;
        }
        self.secs = secs;
        self.offset = self.zone.offset(secs);
        self.local = Civil::at(secs, self.offset);
        self.utc = Civil::at(secs, 0);
    }
}

/// The moment an HTTP date names, in any of the three forms of RFC 9110 section 5.6.7.
pub fn parse_http(text: &str) -> Option<i64> {
    const FORMS: [&str; 3] = [
        "%a, %d %b %Y %H:%M:%S GMT",
        "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %e %H:%M:%S %Y",
    ];
    FORMS.iter().find_map(|form| {
        let civil = jiff::civil::DateTime::strptime(form, text.trim()).ok()?;
        Some(Offset::UTC.to_timestamp(civil).ok()?.as_second())
    })
}

fn log_second(c: &Civil, out: &mut Vec<u8>) {
    digits(u32::from(c.day), 2, out);
    out.push(b'/');
    out.extend_from_slice(c.month_name().as_bytes());
    out.push(b'/');
    digits(u32::try_from(c.year).unwrap_or(0), 4, out);
    out.push(b':');
    clock(c, out);
}

fn clock(c: &Civil, out: &mut Vec<u8>) {
    digits(u32::from(c.hour), 2, out);
    out.push(b':');
    digits(u32::from(c.minute), 2, out);
    out.push(b':');
    digits(u32::from(c.second), 2, out);
}

fn zone_offset(offset: i32, colon: &str, out: &mut Vec<u8>) {
    out.push(if offset < 0 { b'-' } else { b'+' });
    let minutes = offset.unsigned_abs() / 60;
    digits(minutes / 60, 2, out);
    out.extend_from_slice(colon.as_bytes());
    digits(minutes % 60, 2, out);
}

fn digits(number: u32, width: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + width, b'0');
    let mut rest = number;
    for place in out[start..].iter_mut().rev() {
        *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEN: i64 = 1_233_918_854; // 2009-02-06T11:14:14Z

    fn dates(tz: &str) -> Dates {
        Dates::new(Zone::local(Some(tz), &|_| None))
    }

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn every_form_of_one_moment() {
        let mut d = dates("CET-1CEST,M3.5.0,M10.5.0/3");
        assert_eq!(text(|o| d.log(THEN, 655, o)), "06/Feb/2009:12:14:14.655");
        assert_eq!(text(|o| d.log_local(THEN, o)), "06/Feb/2009:12:14:14 +0100");
        assert_eq!(text(|o| d.http(THEN, o)), "Fri, 06 Feb 2009 11:14:14 GMT");
        assert_eq!(text(|o| d.rfc3164(THEN, o)), "Feb  6 12:14:14");
        assert_eq!(
            text(|o| d.rfc5424(THEN, 655_123, o)),
            "2009-02-06T12:14:14.655123+01:00"
        );
    }

    #[test]
    fn summer_time_and_odd_zones() {
        let mut d = dates("CET-1CEST,M3.5.0,M10.5.0/3");
        assert!(text(|o| d.log_local(1_247_000_000, o)).ends_with(" +0200"));
        let mut west = dates("NST3:30");
        assert!(text(|o| west.rfc5424(THEN, 0, o)).ends_with("T07:44:14.000000-03:30"));
        let mut nowhere = dates("no such zone");
        assert!(text(|o| nowhere.log_local(THEN, o)).ends_with(" +0000"));
    }

    #[test]
    fn zones_come_from_files_and_only_from_their_directory() {
        let asked = std::cell::RefCell::new(Vec::new());
        let read = |path: &str| {
            asked.borrow_mut().push(path.to_owned());
            None
        };
        Zone::local(None, &read);
        Zone::local(Some("Europe/Paris"), &read);
        Zone::local(Some(":/x/y"), &read);
        Zone::local(Some("../../secret"), &read);
        assert_eq!(
            asked.into_inner(),
            ["/etc/localtime", "/usr/share/zoneinfo/Europe/Paris", "/x/y"]
        );
    }

    #[test]
    fn the_calendar_agrees_with_jiff_over_centuries() {
        let mut secs = -5_000_000_000_i64;
        while secs < 9_000_000_000 {
            let civil = Civil::at(secs, 0);
            let theirs = Offset::UTC.to_datetime(Timestamp::from_second(secs).expect("in range"));
            let ours = (civil.year, civil.month, civil.day, civil.hour, civil.second);
            let expected = (
                i32::from(theirs.year()),
                theirs.month().unsigned_abs(),
                theirs.day().unsigned_abs(),
                theirs.hour().unsigned_abs(),
                theirs.second().unsigned_abs(),
            );
            assert_eq!(ours, expected, "{secs}");
            assert_eq!(
                i8::try_from(civil.weekday).ok(),
                Some(theirs.weekday().to_sunday_zero_offset())
            );
            secs += 7_654_321;
        }
    }

    #[test]
    fn patterns_and_http_dates() {
        let d = dates("UTC");
        assert_eq!(
            text(|o| d.pattern("%Y-%m-%dT%H:%M:%S%z", THEN, true, o)),
            "2009-02-06T11:14:14+0000"
        );
        for form in [
            "Fri, 06 Feb 2009 11:14:14 GMT",
            "Friday, 06-Feb-09 11:14:14 GMT",
            "Fri Feb  6 11:14:14 2009",
        ] {
            assert_eq!(parse_http(form), Some(THEN), "{form}");
        }
        assert_eq!(parse_http("yesterday"), None);
    }
}
