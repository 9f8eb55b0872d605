//! Dates in the three spellings of log lines, the last second remembered.
//!
//! Lines of one worker mostly show the same second, so each spelling is made once a second and
//! copied afterwards. The zone comes from whoever asks: this room reads no clock and no zone file.

use crate::sample::{Census, Wall};

/// Dates already spelled; each worker owns one.
#[derive(Debug, Clone, Default)]
pub struct Dates {
    second: Option<i64>,
    spelled: Spelled,
}

/// One second, spelled.
#[derive(Debug, Clone, Copy, Default)]
struct Spelled {
    /// `06/Feb/2009:12:14:14`, local time.
    local: [u8; 20],
    /// The same in universal time.
    universal: [u8; 20],
    /// `+0100`.
    zone: [u8; 5],
    /// `Feb  6 12:14:14`, local time.
    syslog: [u8; 15],
    /// `2009-02-06T12:14:14`, local time.
    iso: [u8; 19],
}

impl Dates {
    /// `06/Feb/2009:12:14:14.655`, local time.
    pub fn with_millis(&mut self, out: &mut Vec<u8>, date: Wall, census: &dyn Census) {
        let spelled = self.at(date.secs, census);
        out.extend_from_slice(&spelled.local);
        out.push(b'.');
        out.extend_from_slice(&digits::<3>(date.micros / 1000));
    }

    /// `06/Feb/2009:12:14:14 +0100`, local time.
    pub fn local(&mut self, out: &mut Vec<u8>, date: Wall, census: &dyn Census) {
        let spelled = self.at(date.secs, census);
        out.extend_from_slice(&spelled.local);
        out.push(b' ');
        out.extend_from_slice(&spelled.zone);
    }

    /// `06/Feb/2009:12:14:14 +0000`, universal time.
    pub fn universal(&mut self, out: &mut Vec<u8>, date: Wall, census: &dyn Census) {
        let spelled = self.at(date.secs, census);
        out.extend_from_slice(&spelled.universal);
        out.extend_from_slice(b" +0000");
    }

    /// `Feb  6 12:14:14`, local time, as RFC 3164 has it.
    pub fn syslog(&mut self, out: &mut Vec<u8>, date: Wall, census: &dyn Census) {
        let spelled = self.at(date.secs, census);
        out.extend_from_slice(&spelled.syslog);
    }

    /// `2009-02-06T12:14:14.655123+01:00`, local time, as RFC 5424 has it.
    pub fn iso(&mut self, out: &mut Vec<u8>, date: Wall, census: &dyn Census) {
        let spelled = self.at(date.secs, census);
        out.extend_from_slice(&spelled.iso);
        out.push(b'.');
        out.extend_from_slice(&digits::<6>(date.micros));
        out.extend_from_slice(&spelled.zone[..3]);
        out.push(b':');
        out.extend_from_slice(&spelled.zone[3..]);
    }

    fn at(&mut self, second: i64, census: &dyn Census) -> Spelled {
        if self.second != Some(second) {
            self.second = Some(second);
            self.spelled = Spelled::new(second, census.utc_offset(second));
        }
        self.spelled
    }
}

impl Spelled {
    fn new(second: i64, offset: i32) -> Spelled {
        let local = Civil::of(second.saturating_add(i64::from(offset)));
        let minutes = offset.unsigned_abs() / 60;
        let mut zone = [b'+'; 5];
        if offset < 0 {
            zone[0] = b'-';
        }
        zone[1..].copy_from_slice(&digits::<4>(minutes / 60 * 100 + minutes % 60));
        Spelled {
            local: local.slashed(),
            universal: Civil::of(second).slashed(),
            zone,
            syslog: local.syslog(),
            iso: local.iso(),
        }
    }
}

/// A date of the proleptic Gregorian calendar.
struct Civil {
    year: u32,
    month: usize,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
}

impl Civil {
    /// The date of a second since 1970, by days since the first of March of year 0: leap days then
    /// end a year, and both divisions are regular.
    fn of(second: i64) -> Civil {
        let of_day = small(second.rem_euclid(86_400));
        let days = second.div_euclid(86_400) + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 {
            from_march + 2
        } else {
            from_march - 10
        };
        let year = year_of_era + era * 400 + i64::from(month < 2);
        Civil {
            year: small(year),
            month: small(month) as usize,
            day: small(of_year - (153 * from_march + 2) / 5 + 1),
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
        }
    }

    fn clock(&self) -> [u8; 8] {
        let mut text = *b"00:00:00";
        text[..2].copy_from_slice(&digits::<2>(self.hour));
        text[3..5].copy_from_slice(&digits::<2>(self.minute));
        text[6..].copy_from_slice(&digits::<2>(self.second));
        text
    }

    fn slashed(&self) -> [u8; 20] {
        let mut text = *b"00/Jan/0000:00:00:00";
        text[..2].copy_from_slice(&digits::<2>(self.day));
        text[3..6].copy_from_slice(MONTHS[self.month]);
        text[7..11].copy_from_slice(&digits::<4>(self.year));
        text[12..].copy_from_slice(&self.clock());
        text
    }

    fn syslog(&self) -> [u8; 15] {
        let mut text = *b"Jan 00 00:00:00";
        text[..3].copy_from_slice(MONTHS[self.month]);
        text[4..6].copy_from_slice(&digits::<2>(self.day));
        if text[4] == b'0' {
            text[4] = b' ';
        }
        text[7..].copy_from_slice(&self.clock());
        text
    }

    fn iso(&self) -> [u8; 19] {
        let mut text = *b"0000-00-00T00:00:00";
        text[..4].copy_from_slice(&digits::<4>(self.year));
        text[5..7].copy_from_slice(&digits::<2>(small(self.month as i64 + 1)));
        text[8..10].copy_from_slice(&digits::<2>(self.day));
        text[11..].copy_from_slice(&self.clock());
        text
    }
}

fn small(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

/// The last `N` decimal digits of a number.
fn digits<const N: usize>(number: u32) -> [u8; N] {
    let mut text = [b'0'; N];
    let mut left = number;
    for slot in text.iter_mut().rev() {
        *slot = b'0' + u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
    }
    text
}

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::NoCensus;

    fn spell(secs: i64, draw: impl Fn(&mut Dates, &mut Vec<u8>, Wall)) -> String {
        let mut out = Vec::new();
        draw(
            &mut Dates::default(),
            &mut out,
            Wall {
                secs,
                micros: 655_123,
            },
        );
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn the_manuals_example() {
        let secs = 1_233_922_454;
        assert_eq!(
            spell(secs, |d, o, w| d.with_millis(o, w, &NoCensus)),
            "06/Feb/2009:12:14:14.655"
        );
        assert_eq!(
            spell(secs, |d, o, w| d.universal(o, w, &NoCensus)),
            "06/Feb/2009:12:14:14 +0000"
        );
        assert_eq!(
            spell(secs, |d, o, w| d.local(o, w, &NoCensus)),
            "06/Feb/2009:12:14:14 +0000"
        );
        assert_eq!(
            spell(secs, |d, o, w| d.syslog(o, w, &NoCensus)),
            "Feb  6 12:14:14"
        );
        assert_eq!(
            spell(secs, |d, o, w| d.iso(o, w, &NoCensus)),
            "2009-02-06T12:14:14.655123+00:00"
        );
    }

    #[test]
    fn leap_days_and_year_ends() {
        let day = |secs| spell(secs, |d, o, w| d.iso(o, w, &NoCensus))[..10].to_owned();
        assert_eq!(day(951_782_400), "2000-02-29");
        assert_eq!(day(951_868_800), "2000-03-01");
        assert_eq!(day(1_735_689_599), "2024-12-31");
        assert_eq!(day(1_735_689_600), "2025-01-01");
        assert_eq!(day(4_107_542_400), "2100-03-01");
    }

    #[test]
    fn zones_are_written_with_their_sign() {
        assert_eq!(&Spelled::new(0, 5 * 3600 + 1800).zone, b"+0530");
        assert_eq!(&Spelled::new(0, -(9 * 3600 + 1800)).zone, b"-0930");
        assert_eq!(&Spelled::new(0, -3600).iso, b"1969-12-31T23:00:00");
    }
}
