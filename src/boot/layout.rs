//! `sluice fmt`: configuration files in one layout.
//!
//! Sections begin at the margin with an empty line before them, everything else is indented by four blanks; between two words
//! stands one blank, and one empty line between two lines at most. Only blanks between words, at the edges of lines, and empty
//! lines change: a file means the same before and after, no comment is lost, and a line is never joined or split. A line
//! whose words cannot be told apart (an open quote) keeps its inside.

use crate::config::catalog::SectionKind;

/// The text in the one layout.
pub fn layout(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 8);
    let mut empty = false;
    let mut inside = false;
    let mut comments: Vec<Vec<u8>> = Vec::new();
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    for line in text.split(|&byte| byte == b'\n').map(squeezed) {
        if line.is_empty() {
            flush(&mut comments, inside, &mut out);
            empty = true;
            continue;
        }
        if line.starts_with(b"#") {
            push_gap(&mut empty, &mut out);
            comments.push(line);
            continue;
        }
        let word = line.split(|&byte| byte == b' ').next().unwrap_or_default();
        let section =
            std::str::from_utf8(word).is_ok_and(|word| SectionKind::named(word).is_some());
        if section {
            // Comments right above a section belong to it.
            empty = true;
            inside = true;
            push_gap(&mut empty, &mut out);
        }
        push_gap(&mut empty, &mut out);
        flush(&mut comments, inside && !section, &mut out);
        push(&line, inside && !section, &mut out);
    }
    flush(&mut comments, inside, &mut out);
    out
}

/// Where a line is within its words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Word,
    Single,
    Double,
}

/// The line with one blank between its words and none around them.
fn squeezed(line: &[u8]) -> Vec<u8> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // What stands behind such a byte is not read, and neither touched.
    let odd = line.iter().any(|byte| matches!(byte, b'\r' | 0));
    let mut out = Vec::with_capacity(line.len());
    let (mut at, mut rest, mut gap) = (At::Word, line, false);
    while let Some((&byte, tail)) = rest.split_first() {
        if at == At::Word && is_blank(byte) {
            (rest, gap) = (tail, true);
            continue;
        }
        if std::mem::take(&mut gap) && !out.is_empty() {
            out.push(b' ');
        }
        if at == At::Word && byte == b'#' {
            out.extend_from_slice(trimmed(rest));
            return if odd { trimmed(line).to_vec() } else { out };
        }
        let taken = match (at, byte, tail.first()) {
            (At::Word, b'\\', Some(b' ' | b'\\' | b'#' | b'\'' | b'"')) => 2,
            (At::Double, b'\\', Some(b'\\' | b'"')) => 2,
            _ => 1,
        };
        at = match (at, byte) {
            (At::Word, b'\'') => At::Single,
            (At::Word, b'"') => At::Double,
            (At::Single, b'\'') | (At::Double, b'"') => At::Word,
            (at, _) => at,
        };
        out.extend_from_slice(&rest[..taken]);
        rest = &rest[taken..];
    }
    if odd || at != At::Word {
        return trimmed(line).to_vec();
    }
    out
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0b | 0x0c)
}

fn trimmed(line: &[u8]) -> &[u8] {
    let start = line
        .iter()
        .position(|&byte| !is_blank(byte))
        .unwrap_or(line.len());
    let end = line
        .iter()
        .rposition(|&byte| !is_blank(byte))
        .map_or(start, |at| at + 1);
    &line[start..end]
}

fn push_gap(empty: &mut bool, out: &mut Vec<u8>) {
    if std::mem::take(empty) && !out.is_empty() && !out.ends_with(b"\n\n") {
        out.push(b'\n');
    }
}

fn flush(comments: &mut Vec<Vec<u8>>, indented: bool, out: &mut Vec<u8>) {
    for comment in comments.drain(..) {
        push(&comment, indented, out);
    }
}

fn push(line: &[u8], indented: bool, out: &mut Vec<u8>) {
    if indented {
        out.extend_from_slice(b"    ");
    }
    out.extend_from_slice(line);
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Env, lexer};
    use std::fs;
    use std::path::{Path, PathBuf};

    fn text(text: &str) -> String {
        String::from_utf8(layout(text.as_bytes())).expect("text")
    }

    #[test]
    fn sections_stand_at_the_margin_and_lines_are_indented() {
        let old = "# head\n  global\nmaxconn 5  \n\n\n\ttimeout  x\n# about f\nfrontend f\n\t# inner\n bind :80\n";
        assert_eq!(
            text(old),
            "# head\nglobal\n    maxconn 5\n\n    timeout x\n\n# about f\nfrontend f\n    # inner\n    bind :80\n"
        );
    }

    #[test]
    fn blanks_within_words_stay() {
        let old = "global\n log-tag  a\\ \n setenv X \"  a \" \t'b  c'  # a  b \n x a\\\tb c\\#  d\n \"open  x\n";
        assert_eq!(
            text(old),
            "global\n    log-tag a\\ \n    setenv X \"  a \" 'b  c' # a  b\n    x a\\ b c\\# d\n    \"open  x\n"
        );
    }

    /// Every configuration of the repository: of scenarios, of the table of mistakes, of the packages.
    fn configurations() -> Vec<Vec<u8>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut all = Vec::new();
        let mut places: Vec<PathBuf> = ["tests", "packaging"].map(|name| root.join(name)).to_vec();
        while let Some(place) = places.pop() {
            for entry in fs::read_dir(place).expect("a directory") {
                let path = entry.expect("readable").path();
                if path.is_dir() {
                    places.push(path);
                } else if path.extension().is_some_and(|end| end == "cfg") {
                    all.push(fs::read(path).expect("readable"));
                }
            }
        }
        let table = fs::read_to_string(root.join("tests/mistakes/table.txt")).expect("the table");
        for row in table.split("\n\n") {
            let lines = row.lines().filter_map(|line| line.strip_prefix("| "));
            all.push(
                lines
                    .map(|line| format!("{line}\n"))
                    .collect::<String>()
                    .into_bytes(),
            );
        }
        all
    }

    /// The words of a line, or what is wrong with it.
    type Understood = Result<Vec<Vec<u8>>, String>;

    /// The words of each line that has some, or what is wrong with it, and its comment.
    fn meaning(text: &[u8]) -> Vec<(Understood, Vec<u8>)> {
        let env: Env = [("PORT", "1"), ("ORIGIN", "2"), ("LOG", "3")]
            .into_iter()
            .collect();
        let lines = text.split(|&byte| byte == b'\n').map(|line| {
            let shown = String::from_utf8_lossy(line);
            let words = lexer::read(&shown, &env);
            let words = words.map(|words| words.iter().map(|word| word.bytes.to_vec()).collect());
            let tight = squeezed(line);
            let without = lexer::read(&String::from_utf8_lossy(&tight), &env).map_or(0, |words| {
                words.last().map_or(0, |word| word.span.end as usize)
            });
            let comment = tight.get(without..).unwrap_or_default();
            let kind = |diag: crate::lang::Diag| {
                diag.message
                    .chars()
                    .take_while(|c| !c.is_ascii_digit())
                    .collect()
            };
            (words.map_err(kind), trimmed(comment).to_vec())
        });
        lines
            .filter(|(words, comment)| words != &Ok(Vec::new()) || !comment.is_empty())
            .collect()
    }

    #[test]
    fn every_configuration_keeps_its_words_and_comments() {
        let all = configurations();
        assert!(all.len() > 130, "{} configurations", all.len());
        for old in all {
            let new = layout(&old);
            let shown = String::from_utf8_lossy(&old);
            assert_eq!(layout(&new), new, "{shown}");
            assert_eq!(meaning(&new), meaning(&old), "{shown}");
        }
    }
}
