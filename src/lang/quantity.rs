//! Times and sizes as the configuration writes them: digits and one unit.
//!
//! Pure functions from text to numbers, used by the cursor and by whatever reads times elsewhere
//! (command lines, DNS options). Fractions are no part of the language. Values are rounded up, so
//! that nothing written as non-zero becomes zero.

/// The unit of a time, and what a bare number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// `us`
    Micros,
    /// `ms`
    Millis,
    /// `s`
    Seconds,
    /// `m`
    Minutes,
    /// `h`
    Hours,
    /// `d`
    Days,
}

impl Unit {
    /// How many microseconds one of them is.
    const fn micros(self) -> u128 {
        match self {
            Unit::Micros => 1,
            Unit::Millis => 1_000,
            Unit::Seconds => 1_000_000,
            Unit::Minutes => 60_000_000,
            Unit::Hours => 3_600_000_000,
            Unit::Days => 86_400_000_000,
        }
    }
}

/// Why a time or a size could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// There are no digits at all.
    Empty,
    /// The byte at this position cannot stand there.
    Unexpected(usize),
    /// The value does not fit.
    Overflow,
}

/// A time that was read, and where letters after its unit begin: tolerated with a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// The value, in the unit asked for.
    pub value: u32,
    /// The first byte after the unit, if anything follows.
    pub trailing: Option<usize>,
}

/// The largest time in any unit: HAProxy's signed 32-bit timers.
pub const TIME_MAX: u32 = i32::MAX as u32;

/// Reads a time and returns it in `target` units, rounded up; a bare number counts in `bare` units.
///
/// # Errors
/// Not a time, or too long a one.
pub fn time(text: &[u8], bare: Unit, target: Unit) -> Result<Time, Fault> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let number = number(&text[..digits]);
    let tail = &text[digits..];
    let (unit, taken) = match tail {
        [] => (bare, 0),
        [b'u', b's', ..] => (Unit::Micros, 2),
        [b'm', b's', ..] => (Unit::Millis, 2),
        [b's', ..] => (Unit::Seconds, 1),
        [b'm', ..] => (Unit::Minutes, 1),
        [b'h', ..] => (Unit::Hours, 1),
        [b'd', ..] => (Unit::Days, 1),
        [..] => return Err(Fault::Unexpected(digits)),
    };
    if digits == 0 {
        return Err(if text.is_empty() {
            Fault::Empty
        } else {
            Fault::Unexpected(0)
        });
    }
    let micros = u128::from(number.ok_or(Fault::Overflow)?) * unit.micros();
    let value = micros.div_ceil(target.micros());
    let value = u32::try_from(value).map_err(|_| Fault::Overflow)?;
    if value > TIME_MAX {
        return Err(Fault::Overflow);
    }
    Ok(Time {
        value,
        trailing: (taken < tail.len()).then_some(digits + taken),
    })
}

/// Reads a size: digits and one of `k`, `m`, `g` in either case, counted in 1024s, 32 bits.
///
/// # Errors
/// Not a size, or too large a one.
pub fn size(text: &[u8]) -> Result<u32, Fault> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 {
        return Err(if text.is_empty() {
            Fault::Empty
        } else {
            Fault::Unexpected(0)
        });
    }
    let shift = match &text[digits..] {
        [] => 0,
        [b'k' | b'K', ..] => 10,
        [b'm' | b'M', ..] => 20,
        [b'g' | b'G', ..] => 30,
        [..] => return Err(Fault::Unexpected(digits)),
    };
    if text.len() > digits + 1 {
        return Err(Fault::Unexpected(digits + 1));
    }
    let number = number(&text[..digits]).ok_or(Fault::Overflow)?;
    let bytes = u128::from(number) << shift;
    u32::try_from(bytes).map_err(|_| Fault::Overflow)
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> Result<u32, Fault> {
        time(text.as_bytes(), Unit::Millis, Unit::Millis).map(|t| t.value)
    }

    #[test]
    fn times_have_units_and_a_default() {
        assert_eq!(millis("5"), Ok(5));
        assert_eq!(millis("5s"), Ok(5000));
        assert_eq!(millis("2m"), Ok(120_000));
        assert_eq!(millis("4h"), Ok(14_400_000));
        assert_eq!(millis("1d"), Ok(86_400_000));
        assert_eq!(millis("7ms"), Ok(7));
        assert_eq!(
            time(b"10", Unit::Seconds, Unit::Millis).map(|t| t.value),
            Ok(10_000)
        );
    }

    #[test]
    fn small_times_are_rounded_up() {
        assert_eq!(millis("1us"), Ok(1));
        assert_eq!(millis("1001us"), Ok(2));
        assert_eq!(millis("0us"), Ok(0));
        assert_eq!(
            time(b"1500ms", Unit::Seconds, Unit::Seconds).map(|t| t.value),
            Ok(2)
        );
    }

    #[test]
    fn bad_times_are_told_apart() {
        assert_eq!(millis(""), Err(Fault::Empty));
        assert_eq!(millis("5q"), Err(Fault::Unexpected(1)));
        assert_eq!(millis("1.5s"), Err(Fault::Unexpected(1)));
        assert_eq!(millis("-1"), Err(Fault::Unexpected(0)));
        assert_eq!(millis("s"), Err(Fault::Unexpected(0)));
        assert_eq!(millis("100d"), Err(Fault::Overflow));
        assert_eq!(millis("99999999999999999999999"), Err(Fault::Overflow));
        assert_eq!(millis("2147483647"), Ok(TIME_MAX));
        assert_eq!(millis("2147483648"), Err(Fault::Overflow));
    }

    #[test]
    fn letters_after_the_unit_are_tolerated() {
        let read = time(b"30sec", Unit::Millis, Unit::Millis).expect("a time");
        assert_eq!((read.value, read.trailing), (30_000, Some(3)));
        let read = time(b"5min", Unit::Millis, Unit::Millis).expect("a time");
        assert_eq!((read.value, read.trailing), (300_000, Some(2)));
    }

    #[test]
    fn sizes_count_in_1024s() {
        assert_eq!(size(b"16384"), Ok(16384));
        assert_eq!(size(b"1k"), Ok(1024));
        assert_eq!(size(b"100K"), Ok(102_400));
        assert_eq!(size(b"1m"), Ok(1 << 20));
        assert_eq!(size(b"3g"), Ok(3 << 30));
        assert_eq!(size(b"4g"), Err(Fault::Overflow));
        assert_eq!(size(b"1kb"), Err(Fault::Unexpected(2)));
        assert_eq!(size(b"x"), Err(Fault::Unexpected(0)));
        assert_eq!(size(b""), Err(Fault::Empty));
    }
}
