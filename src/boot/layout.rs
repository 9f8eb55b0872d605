//! `sluice fmt`: configuration files in the usual layout.
//!
//! Sections begin at the margin with an empty line before them, everything else is indented by four blanks. Only blanks at the
//! edges of lines and empty lines change, so that a file means the same before and after; a line is never joined or split.

use crate::config::catalog::SectionKind;

/// The text in the usual layout.
pub fn layout(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut empty = 0;
    let mut inside = false;
    let mut comments: Vec<&str> = Vec::new();
    for line in text.lines().map(trimmed) {
        if line.is_empty() {
            flush(&mut comments, inside, &mut out);
            empty += 1;
            continue;
        }
        if line.starts_with('#') {
            push_gap(&mut empty, &mut out);
            comments.push(line);
            continue;
        }
        let word = line.split_ascii_whitespace().next().unwrap_or_default();
        let section = SectionKind::named(word).is_some();
        if section {
            // Comments right above a section belong to it.
            if !out.is_empty() && !out.ends_with("\n\n") {
                out.push('\n');
            }
            inside = true;
        }
        push_gap(&mut empty, &mut out);
        flush(&mut comments, inside && !section, &mut out);
        push(line, inside && !section, &mut out);
    }
    flush(&mut comments, inside, &mut out);
    out
}

/// Blanks at the end of a line go, unless a backslash makes the last one a part of a word.
fn trimmed(line: &str) -> &str {
    let line = line.trim_start_matches([' ', '\t', '\r']);
    let short = line.trim_end_matches([' ', '\t', '\r']);
    if short.ends_with('\\') && short.len() < line.len() {
        return &line[..=short.len()];
    }
    short
}

fn push_gap(empty: &mut usize, out: &mut String) {
    if *empty > 0 && !out.is_empty() && !out.ends_with("\n\n") {
        out.push('\n');
    }
    *empty = 0;
}

fn flush(comments: &mut Vec<&str>, indented: bool, out: &mut String) {
    for comment in comments.drain(..) {
        push(comment, indented, out);
    }
}

fn push(line: &str, indented: bool, out: &mut String) {
    if indented {
        out.push_str("    ");
    }
    out.push_str(line);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_stand_at_the_margin_and_lines_are_indented() {
        let text = "# head\n  global\nmaxconn 5  \n\n\n\ttimeout  x\n# about f\nfrontend f\n\t# inner\n bind :80\n";
        assert_eq!(
            layout(text),
            "# head\nglobal\n    maxconn 5\n\n    timeout  x\n\n# about f\nfrontend f\n    # inner\n    bind :80\n"
        );
    }

    #[test]
    fn the_layout_is_stable_and_keeps_words() {
        let text = "global\n log-tag a\\ \n setenv X \" a \"\n";
        let once = layout(text);
        assert_eq!(layout(&once), once);
        assert!(once.contains("log-tag a\\ \n") && once.contains("\" a \""));
    }
}
