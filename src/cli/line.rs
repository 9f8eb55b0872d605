//! Lines into commands, commands into words.
//!
//! A line holds commands between semicolons; a word is what stands between blanks. A backslash
//! takes the meaning from a blank, a semicolon or another backslash.

/// How many words a command may have.
pub(super) const WORDS_MAX: usize = 64;

/// How long the text of a payload's mark may be.
const MARK_LEN_MAX: usize = 7;

/// A command in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words(pub(super) Vec<String>);

/// What ends a line in a payload mark: `<<`, or `<<` and the text of the payload's last line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PayloadMark(pub(super) String);

/// The commands of a line, and the mark of a payload if the line ends in one.
#[must_use]
pub(super) fn split(line: &[u8]) -> (Vec<Words>, Option<PayloadMark>) {
    let (line, mark) = payload_mark(line);
    let mut commands = Vec::new();
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut bytes = line.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                let word = word.get_or_insert_default();
                match bytes.next() {
                    Some(next @ (b' ' | b';' | b'\\')) => word.push(next),
                    Some(next) => word.extend([b'\\', next]),
                    None => word.push(b'\\'),
                }
            }
            b' ' | b'\t' | b'\r' => take(&mut word, &mut words),
            b';' => {
                take(&mut word, &mut words);
                commands.push(Words(std::mem::take(&mut words)));
            }
            byte => word.get_or_insert_default().push(byte),
        }
    }
    take(&mut word, &mut words);
    // What follows a last semicolon is a command only if it says something.
    if !words.is_empty() || commands.is_empty() {
        commands.push(Words(words));
    }
    (commands, mark)
}

fn take(word: &mut Option<Vec<u8>>, words: &mut Vec<String>) {
    if let Some(word) = word.take().filter(|_| words.len() < WORDS_MAX) {
        words.push(String::from_utf8_lossy(&word).into_owned());
    }
}

/// The line without its payload mark, and the mark.
fn payload_mark(line: &[u8]) -> (&[u8], Option<PayloadMark>) {
    let Some(at) = memchr::memmem::rfind(line, b"<<") else {
        return (line, None);
    };
    let begins_word = at == 0 || matches!(line[at - 1], b' ' | b'\t');
    let mark = line[at + 2..].trim_ascii();
    if !begins_word || mark.contains(&b' ') || mark.len() > MARK_LEN_MAX {
        return (line, None);
    }
    (
        &line[..at],
        Some(PayloadMark(String::from_utf8_lossy(mark).into_owned())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        let (commands, mark) = split(line.as_bytes());
        let commands: Vec<String> = commands.iter().map(|words| words.0.join("|")).collect();
        let mark = mark.map_or_else(String::new, |mark| format!(" <<{}", mark.0));
        commands.join(" ; ") + &mark
    }

    #[test]
    fn lines_fall_into_commands_and_words() {
        assert_eq!(shown("show  info"), "show|info");
        assert_eq!(
            shown("show info;show stat ; quit"),
            "show|info ; show|stat ; quit"
        );
        assert_eq!(shown(r"add map x a\ b c\;d\\"), r"add|map|x|a b|c;d\");
        assert_eq!(shown("show info;"), "show|info");
        assert_eq!(shown(""), "");
    }

    #[test]
    fn payload_marks_end_a_line() {
        assert_eq!(shown("add map x <<"), "add|map|x <<");
        assert_eq!(shown("add map x <<EOF"), "add|map|x <<EOF");
        assert_eq!(shown("add map x a<<"), "add|map|x|a<<");
        assert_eq!(shown("add map x <<1234567"), "add|map|x <<1234567");
        assert_eq!(shown("add map x <<12345678"), "add|map|x|<<12345678");
    }
}
