//! The first lines of a session.

/// The protocol's name.
const PROTOCOL: &str = "HAProxyS";
/// The version spoken: 2.1 knows dictionaries and times.
const VERSION: (u32, u32) = (2, 1);
/// Bytes that the three lines may take.
pub(super) const HELLO_MAX: usize = 1024;

/// The answer to a hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Go on.
    Well = 200,
    /// Not now.
    TryLater = 300,
    /// Not this protocol.
    Protocol = 501,
    /// Not this version.
    Version = 502,
    /// This process has another name.
    LocalName = 503,
    /// No member has this name.
    RemoteName = 504,
}

/// Appends the hello to `remote`.
pub(super) fn greet(remote: &str, local: &str, pid: u32, out: &mut Vec<u8>) {
    let (major, minor) = VERSION;
    let text = format!("{PROTOCOL} {major}.{minor}\n{remote}\n{local} {pid} 1\n");
    out.extend_from_slice(text.as_bytes());
}

/// Appends an answer.
pub(super) fn answer(status: Status, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{}\n", status as u16).as_bytes());
}

/// Reads the answer to our hello; none: it is not all here.
pub(super) fn answered(input: &mut Vec<u8>) -> Option<Result<(), u16>> {
    let end = input.iter().position(|&byte| byte == b'\n')?;
    let line: Vec<u8> = input.drain(..=end).collect();
    let code = std::str::from_utf8(line.trim_ascii()).ok();
    let code = code.and_then(|text| text.parse().ok()).unwrap_or(0);
    Some(if code == Status::Well as u16 {
        Ok(())
    } else {
        Err(code)
    })
}

/// Reads a hello to this process: who speaks; none: it is not all here.
pub(super) fn heard(input: &mut Vec<u8>, local: &str) -> Option<Result<String, Status>> {
    let ends = input.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let Some(end) = ends.map(|(at, _)| at).nth(2) else {
        return (input.len() > HELLO_MAX).then_some(Err(Status::Protocol));
    };
    let text: Vec<u8> = input.drain(..=end).collect();
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut lines = text.lines();
    Some(read(&mut lines, local))
}

fn read<'a>(lines: &mut impl Iterator<Item = &'a str>, local: &str) -> Result<String, Status> {
    let first = lines.next().unwrap_or_default();
    let (protocol, version) = first.split_once(' ').ok_or(Status::Protocol)?;
    if protocol != PROTOCOL {
        return Err(Status::Protocol);
    }
    let (major, _minor) = version.split_once('.').ok_or(Status::Version)?;
    if major.parse() != Ok(VERSION.0) {
        return Err(Status::Version);
    }
    if lines.next() != Some(local) {
        return Err(Status::LocalName);
    }
    let last = lines.next().unwrap_or_default();
    let name = last.split(' ').next().unwrap_or_default();
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_is_heard_by_whom_it_is_meant_for() {
        let mut out = Vec::new();
        greet("B", "A", 7, &mut out);
        assert_eq!(out, b"HAProxyS 2.1\nB\nA 7 1\n");
        assert_eq!(heard(&mut out[..10].to_vec(), "B"), None);
        assert_eq!(heard(&mut out.clone(), "B"), Some(Ok("A".to_owned())));
        assert_eq!(heard(&mut out.clone(), "C"), Some(Err(Status::LocalName)));
        let mut old = b"HAProxyS 1.0\nB\nA 7 1\n".to_vec();
        assert_eq!(heard(&mut old, "B"), Some(Err(Status::Version)));
        assert_eq!(
            heard(&mut vec![b'x'; 2000], "B"),
            Some(Err(Status::Protocol))
        );
    }

    #[test]
    fn answers_are_numbers() {
        let mut out = Vec::new();
        answer(Status::RemoteName, &mut out);
        assert_eq!(answered(&mut out), Some(Err(504)));
        assert_eq!(answered(&mut b"200\n".to_vec()), Some(Ok(())));
        assert_eq!(answered(&mut b"20".to_vec()), None);
    }
}
