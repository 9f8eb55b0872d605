//! Lines that others wrote, as they arrive: framing on streams, and the headers of RFC 3164 and RFC 5424.

use super::line::{FACILITIES, Level};

/// The longest line that is taken off a stream.
pub const RECEIVED_MAX: usize = 64 * 1024;

/// One line, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received<'a> {
    /// How urgent it is.
    pub level: Level,
    /// Who spoke, as a number; none: the line does not say.
    pub facility: Option<u8>,
    /// The machine, empty if the line does not say.
    pub hostname: &'a str,
    /// The program.
    pub tag: &'a [u8],
    /// Its process, zero if the line does not say.
    pub pid: u32,
    /// RFC 5424 structured data, empty for none.
    pub structured: &'a [u8],
    /// The text.
    pub text: &'a [u8],
    /// The whole line as it came, without its end.
    pub whole: &'a [u8],
}

/// What came on a stream begins no line, or a longer one than any may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotALine;

/// Takes a line off a stream: counted (RFC 6587 section 3.4.1) or ended by a line feed. None: it is not all here.
///
/// # Errors
/// No line can come of it.
pub fn take_frame<'a>(input: &mut &'a [u8]) -> Result<Option<&'a [u8]>, NotALine> {
    if input.first().is_some_and(u8::is_ascii_digit) {
        let digits = input
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let Some(b' ') = input.get(digits) else {
            return if digits > 9 || input.len() > digits {
                Err(NotALine)
            } else {
                Ok(None)
            };
        };
        let count = std::str::from_utf8(&input[..digits]).ok();
        let count: usize = count.and_then(|text| text.parse().ok()).ok_or(NotALine)?;
        if count > RECEIVED_MAX {
            return Err(NotALine);
        }
        let rest = &input[digits + 1..];
        let Some((line, rest)) = rest.split_at_checked(count) else {
            return Ok(None);
        };
        *input = rest;
        return Ok(Some(trimmed(line)));
    }
    match memchr::memchr(b'\n', input) {
        Some(end) => {
            let line = &input[..end];
            *input = &input[end + 1..];
            Ok(Some(trimmed(line)))
        }
        None if input.len() > RECEIVED_MAX => Err(NotALine),
        None => Ok(None),
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    let end = line
        .iter()
        .rposition(|byte| !matches!(byte, b'\n' | b'\r' | 0));
    &line[..end.map_or(0, |at| at + 1)]
}

/// Takes a line apart. What has no header is all text.
#[must_use]
pub fn parse(line: &[u8]) -> Received<'_> {
    let whole = trimmed(line);
    let mut received = Received {
        level: Level::Info,
        facility: None,
        hostname: "",
        tag: b"",
        pid: 0,
        structured: b"",
        text: whole,
        whole,
    };
    let Some((priority, rest)) = priority(whole) else {
        return received;
    };
    received.level = Level::ALL[usize::from(priority & 7)].1;
    received.facility = Some(priority >> 3).filter(|at| usize::from(*at) < FACILITIES.len());
    match rest.strip_prefix(b"1 ") {
        Some(rest) => modern(rest, &mut received),
        None => traditional(rest, &mut received),
    }
    received
}

fn priority(line: &[u8]) -> Option<(u8, &[u8])> {
    let rest = line.strip_prefix(b"<")?;
    let end = rest.iter().take(4).position(|&byte| byte == b'>')?;
    let number = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
    Some((number, &rest[end + 1..]))
}

/// RFC 5424 section 6.
fn modern<'a>(rest: &'a [u8], received: &mut Received<'a>) {
    let mut words = rest.splitn(6, |&byte| byte == b' ');
    let mut word = || {
        words
            .next()
            .filter(|word| *word != b"-")
            .unwrap_or_default()
    };
    let _date = word();
    received.hostname = std::str::from_utf8(word()).unwrap_or_default();
    received.tag = word();
    received.pid = number(word());
    let _message_id = word();
    let tail = words.next().unwrap_or_default();
    let end = structured_end(tail);
    received.structured = &tail[..end];
    if received.structured == b"-" {
        received.structured = b"";
    }
    received.text = tail[end..].trim_ascii_start();
}

/// Where the structured data ends: brackets inside quotes do not count.
fn structured_end(text: &[u8]) -> usize {
    let (mut open, mut quoted, mut escaped) = (false, false, false);
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if open => quoted = !quoted,
            b'[' if !quoted => open = true,
            b']' if !quoted => open = false,
            b' ' if !open => return at,
            _ => {}
        }
    }
    text.len()
}

/// RFC 3164 section 4.1; the machine's name may be missing.
fn traditional<'a>(rest: &'a [u8], received: &mut Received<'a>) {
    // `Feb  6 12:14:14 `
    const DATE_LEN: usize = 16;
    let dated = rest.len() > DATE_LEN && rest[3] == b' ' && rest[9] == b':' && rest[12] == b':';
    let rest = if dated { &rest[DATE_LEN..] } else { rest };
    let colon = rest.windows(2).position(|two| two == b": ");
    let Some(colon) = colon.filter(|_| dated) else {
        received.text = rest;
        return;
    };
    let head = &rest[..colon];
    let mut words = head.rsplitn(2, |&byte| byte == b' ');
    let program = words.next().unwrap_or_default();
    received.hostname = words
        .next()
        .and_then(|name| std::str::from_utf8(name).ok())
        .unwrap_or_default();
    let open = program.iter().position(|&byte| byte == b'[');
    received.tag = &program[..open.unwrap_or(program.len())];
    let inner = open.map(|at| &program[at + 1..]);
    received.pid = inner.map_or(0, |inner| number(inner.strip_suffix(b"]").unwrap_or(inner)));
    received.text = &rest[colon + 2..];
}

fn number(text: &[u8]) -> u32 {
    let digits = std::str::from_utf8(text).ok();
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_headers_are_read() {
        let old = parse(b"<134>Feb  6 12:14:14 vm haproxy[12]: GET: /\n");
        assert_eq!((old.level, old.facility), (Level::Info, Some(16)));
        assert_eq!(
            (old.hostname, old.tag, old.pid),
            ("vm", &b"haproxy"[..], 12)
        );
        assert_eq!(old.text, b"GET: /");
        let local = parse(b"<134>Feb  6 12:14:14 haproxy[12]: GET");
        assert_eq!(
            (local.hostname, local.tag, local.text),
            ("", &b"haproxy"[..], &b"GET"[..])
        );
        let new = parse(b"<165>1 2003-10-11T22:14:15.003Z h app 7 ID [a x=\"]\"][b] text more");
        assert_eq!((new.hostname, new.tag, new.pid), ("h", &b"app"[..], 7));
        assert_eq!(
            (new.structured, new.text),
            (&b"[a x=\"]\"][b]"[..], &b"text more"[..])
        );
        let bare = parse(b"no header");
        assert_eq!((bare.facility, bare.text), (None, &b"no header"[..]));
        assert_eq!(parse(b"<9>x").text, b"x");
    }

    #[test]
    fn frames_are_counted_or_ended() {
        let mut input: &[u8] = b"5 <1>ab<1>c\n3 abc<1>un";
        assert_eq!(take_frame(&mut input), Ok(Some(&b"<1>ab"[..])));
        assert_eq!(take_frame(&mut input), Ok(Some(&b"<1>c"[..])));
        assert_eq!(take_frame(&mut input), Ok(Some(&b"abc"[..])));
        assert_eq!(take_frame(&mut input), Ok(None));
        assert_eq!(input, b"<1>un");
        assert_eq!(take_frame(&mut &b"12x"[..]), Err(NotALine));
        assert_eq!(take_frame(&mut &b"99999999 "[..]), Err(NotALine));
        assert_eq!(take_frame(&mut &b"12"[..]), Ok(None));
    }
}
