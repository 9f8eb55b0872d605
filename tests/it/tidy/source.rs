//! Source files as the rules see them: text, code without comments and literals, functions.
//!
//! The blanking is a small lexer of Rust's tokens that can hide braces and words: comments,
//! strings, raw strings, characters. It keeps every line where it is. It does not parse Rust.

use std::fs;
use std::path::Path;

/// One file, with its path relative to the package.
pub(super) struct Source {
    /// Such as `src/lang/lexer.rs`.
    pub path: String,
    /// As written.
    pub text: String,
    /// The text with comments and literals blanked; lines and columns stay.
    pub code: String,
}

/// A function and its size, from the line of `fn` to its closing brace.
pub(super) struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// Every Rust file below `directory`, sorted by path.
pub(super) fn all(directory: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut open = vec![root.join(directory)];
    while let Some(place) = open.pop() {
        for entry in fs::read_dir(&place).expect("the checkout is complete") {
            let path = entry.expect("directory entries can be read").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).expect("source files are UTF-8");
                let relative = path.strip_prefix(root).expect("below the package");
                found.push(Source {
                    path: relative.display().to_string(),
                    code: blank(&text),
                    text,
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

impl Source {
    /// The room a file of `src/` belongs to: `lang` for `src/lang/lexer.rs`, `id` for `src/id.rs`.
    pub(super) fn room(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside.split(['/', '.']).next().unwrap_or(inside)
    }

    pub(super) fn line_count(&self) -> usize {
        self.text.lines().count()
    }

    /// Numbers of the lines that hold `word` as a whole word of code.
    pub(super) fn lines_with_word(&self, word: &str) -> impl Iterator<Item = usize> {
        let is_hit = move |line: &str| words(line).any(|(_, found)| found == word);
        let lines = self.code.lines().enumerate();
        lines
            .filter(move |(_, line)| is_hit(line))
            .map(|(index, _)| index + 1)
    }

    /// Files that could declare this one as a module, and its module name; none for a root.
    pub(super) fn parents_and_name(
        &self,
        root: &str,
        tops: &[&str],
    ) -> Option<(Vec<String>, String)> {
        let inside = self.path.strip_prefix(root)?.strip_prefix('/')?;
        if tops.contains(&inside) {
            return None;
        }
        let stem = inside
            .trim_end_matches(".rs")
            .trim_end_matches("/mod")
            .to_owned();
        let Some((above, name)) = stem.rsplit_once('/') else {
            let parents = tops.iter().map(|top| format!("{root}/{top}")).collect();
            return Some((parents, stem));
        };
        let parents = vec![
            format!("{root}/{above}/mod.rs"),
            format!("{root}/{above}.rs"),
        ];
        Some((parents, name.to_owned()))
    }

    /// Whether the code has `mod name;` or an inline `mod name {`.
    pub(super) fn declares(&self, name: &str) -> bool {
        let found: Vec<_> = words(&self.code).map(|(_, word)| word).collect();
        found.windows(2).any(|pair| pair == ["mod", name])
    }

    /// Functions with a body, nested ones too.
    pub(super) fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        let mut all = words(&self.code).peekable();
        while let Some((at, word)) = all.next() {
            if word != "fn" {
                continue;
            }
            let Some(&(named, name)) = all.peek() else {
                break;
            };
            // `fn(u8)` is a type: no name follows at once.
            if self.code[at + 2..named].trim().is_empty()
                && let Some(end) = body_end(&self.code, named)
            {
                found.push(Function {
                    name: name.to_owned(),
                    line: self.code[..at].matches('\n').count() + 1,
                    lines: self.code[at..end].matches('\n').count() + 1,
                });
            }
        }
        found
    }
}

/// Where the braces opened after `from` close; none if a `;` ends the item first.
fn body_end(code: &str, from: usize) -> Option<usize> {
    let (mut braces, mut brackets) = (0_usize, 0_usize);
    for (offset, byte) in code[from..].bytes().enumerate() {
        match byte {
            b'[' | b'(' => brackets += 1,
            b']' | b')' => brackets = brackets.saturating_sub(1),
            b';' if braces == 0 && brackets == 0 => return None,
            b'{' => braces += 1,
            b'}' if braces == 1 => return Some(from + offset),
            b'}' => braces = braces.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Identifiers and keywords, with their offsets.
pub(super) fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = 0;
    std::iter::from_fn(move || {
        let start = rest + code[rest..].find(is_part)?;
        let end = code[start..]
            .find(|c| !is_part(c))
            .map_or(code.len(), |n| start + n);
        rest = end;
        Some((start, &code[start..end]))
    })
}

/// Comments and the insides of literals, replaced by spaces; line breaks stay.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = at + token_len(&bytes[at..], at > 0 && is_word_byte(bytes[at - 1])).max(1);
        if end > at + 1 {
            for byte in &mut code[at..end.min(bytes.len())] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
        }
        at = end;
    }
    String::from_utf8(code).expect("whole tokens were blanked")
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Length of the comment or literal that starts here; 0 for anything else.
fn token_len(rest: &[u8], in_word: bool) -> usize {
    match rest {
        [b'/', b'/', ..] => rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment_len(rest),
        [b'"', ..] => quoted_len(rest, b'"'),
        [b'r', b'"' | b'#', ..] if !in_word => raw_string_len(rest),
        [b'b', b'r', b'"' | b'#', ..] if !in_word => 1 + raw_string_len(&rest[1..]),
        [b'\'', b'\\', ..] => quoted_len(rest, b'\''),
        [b'\'', tail @ ..] => char_len(tail),
        _ => 0,
    }
}

fn block_comment_len(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => depth += 1,
            [b'*', b'/', ..] if depth == 1 => return at + 2,
            [b'*', b'/', ..] => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
    }
    rest.len()
}

/// A literal with escapes, from its opening quote.
fn quoted_len(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `r"…"`, `r#"…"#`; 0 for a raw identifier such as `r#type`.
fn raw_string_len(rest: &[u8]) -> usize {
    let hashes = rest[1..].iter().take_while(|b| **b == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let mut end = vec![b'"'];
    end.resize(1 + hashes, b'#');
    let inside = &rest[2 + hashes..];
    let found = inside.windows(end.len()).position(|window| window == end);
    found.map_or(rest.len(), |n| 2 + hashes + n + end.len())
}

/// A character literal after its quote; 0 where the quote begins a lifetime.
fn char_len(tail: &[u8]) -> usize {
    let width = match tail.first() {
        Some(0xf0..) => 4,
        Some(0xe0..) => 3,
        Some(0xc0..) => 2,
        Some(_) => 1,
        None => return 0,
    };
    if tail.get(width) == Some(&b'\'') {
        width + 2
    } else {
        0
    }
}

#[test]
fn literals_and_comments_are_blanked() {
    let cases = [
        ("a // b\nc", "a     \nc"),
        ("/* a /* b */ c */d", "                 d"),
        ("x(\"a\\\"}\")", "x(      )"),
        ("r#\"a\"b\"# r#type", "         r#type"),
        (
            "'{' 'a &'b str '\\'' b'\"' 'é'",
            "    'a &'b str      b        ",
        ),
        ("for_r\"x\"", "for_r   "),
    ];
    for (text, expected) in cases {
        assert_eq!(blank(text), expected, "of {text}");
    }
}

#[test]
fn functions_are_measured() {
    let text = "trait T { fn a(&self); }\nfn b(x: [u8; 2]) {\n    \"}\";\n}\nlet f: fn(u8) = g;\n";
    let source = Source {
        path: "src/x.rs".into(),
        text: text.into(),
        code: blank(text),
    };
    let found: Vec<_> = source
        .functions()
        .iter()
        .map(|f| (f.name.clone(), f.line, f.lines))
        .collect();
    assert_eq!(found, [("b".to_owned(), 2, 3)]);
}
