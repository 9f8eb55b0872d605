//! Escapes of log formats: `+E`, `+Q`, and shell-like quotes.

/// Appends `bytes` with a backslash before `"`, `\` and `]`: RFC 5424 structured data, the `+E` flag.
pub fn structured(bytes: &[u8], out: &mut Vec<u8>) {
    backslashed(bytes, b"\"\\]", out);
}

/// Appends `bytes` in double quotes, as the `+Q` flag does; with `escape` (`+E`) inner quotes are escaped.
pub fn quoted(bytes: &[u8], escape: bool, out: &mut Vec<u8>) {
    out.push(b'"');
    if escape {
        structured(bytes, out);
    } else {
        out.extend_from_slice(bytes);
    }
    out.push(b'"');
}

/// Appends `bytes` with double quotes doubled, in double quotes: the CSV of statistics, RFC 4180.
pub fn csv(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in bytes {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// Whether a CSV field has to be quoted.
pub fn csv_needs_quotes(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .any(|b| matches!(b, b'"' | b',' | b'\n' | b'\r'))
}

fn backslashed(bytes: &[u8], special: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        if special.contains(byte) {
            out.push(b'\\');
        }
        out.push(*byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn structured_data_escapes_three_bytes() {
        assert_eq!(
            text(|o| structured(b"q\"uo]te\\b/ [", o)),
            "q\\\"uo\\]te\\\\b/ ["
        );
    }

    #[test]
    fn quotes_wrap_and_escape_on_demand() {
        assert_eq!(text(|o| quoted(b"a\"b", false, o)), "\"a\"b\"");
        assert_eq!(text(|o| quoted(b"a\"b", true, o)), "\"a\\\"b\"");
    }

    #[test]
    fn csv_doubles_quotes() {
        assert_eq!(text(|o| csv(b"a\"b,c", o)), "\"a\"\"b,c\"");
        assert!(csv_needs_quotes(b"a,b") && !csv_needs_quotes(b"a b"));
    }
}
