//! `sluice check`: everything that can be said about configuration files, and the edits that settle some of it.
//!
//! What a start would say comes first, with advice that a start does not give. For editors each finding is a JSON object on a
//! line of its own; lines count from 1, columns from 0, ends are exclusive. `--fix` carries out the edits that findings have; a line
//! whose text was made by a variable is left to the operator, because the edit would write the value in its place.

use std::collections::BTreeMap;
use std::fs;

use super::args::{Check, Options, Shown};
use super::console::Console;
use super::environment;
use super::load::{self, Machine};
use super::privileges::text;
use crate::codec::json;
use crate::config::{self, Given, Outcome, Source};
use crate::lang::{Diag, FileId, Severity, Span};
use crate::sys::process;

/// Reviews the files of a command line; false when they do not run.
///
/// # Errors
/// Nothing was named, or a rewritten file cannot be written.
pub(super) fn review(wish: &Check, console: &Console) -> Result<bool, String> {
    if wish.files.is_empty() {
        return Err("sluice check: which files?".to_owned());
    }
    let options = Options {
        files: wish.files.clone(),
        check: true,
        ..Options::default()
    };
    let sources: Vec<Source> = wish.files.iter().map(|f| Source::Path(f.into())).collect();
    let env = environment::of(&options, false);
    let program = load::program(&options);
    let given = Given {
        env: &env,
        program: &program,
    };
    let outcome = config::review(&sources, given, &Machine::new());
    let runs = outcome.report.alerts() == 0;
    if wish.fix {
        fix(&outcome, wish.print, console)?;
        if wish.print {
            return Ok(runs);
        }
    }
    match wish.format {
        Shown::Text => {
            let grave = outcome.report.alerts() + outcome.report.warnings() > 0;
            let pid = u32::try_from(process::pid()).unwrap_or(0);
            let shown = outcome.report.render(&outcome.files, pid, Severity::Diag);
            console.labelled(&shown, grave);
            if runs {
                console.answer("Configuration file is valid\n");
            }
        }
        Shown::Json => {
            let all = outcome.report.sorted();
            let lines: String = all.into_iter().map(|diag| object(diag, &outcome)).collect();
            console.answer(&lines);
        }
    }
    Ok(runs)
}

/// A finding for programs.
fn object(diag: &Diag, outcome: &Outcome) -> String {
    let mut out = b"{".to_vec();
    let key = |name: &str, out: &mut Vec<u8>| {
        if out.len() > 1 {
            out.push(b',');
        }
        json::string(name.as_bytes(), out);
        out.push(b':');
    };
    if let Some(span) = diag.span {
        key("file", &mut out);
        json::string(outcome.files.path(span.file).as_bytes(), &mut out);
        for (name, number) in [
            ("line", span.line),
            ("column", span.start),
            ("end", span.end),
        ] {
            key(name, &mut out);
            out.extend_from_slice(number.to_string().as_bytes());
        }
    }
    let severity = match diag.severity {
        Severity::Alert => "error",
        Severity::Warning => "warning",
        Severity::Notice => "information",
        Severity::Diag => "hint",
    };
    let texts = [
        ("severity", Some(severity)),
        ("message", Some(&*diag.message)),
        ("reason", diag.reason.as_deref()),
        ("fix", diag.fix.as_deref()),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            key(name, &mut out);
            json::string(value.as_bytes(), &mut out);
        }
    }
    if let Some(edit) = &diag.edit {
        let (span, new) = &**edit;
        key("edit", &mut out);
        let place = format!(
            "{{\"line\":{},\"column\":{},\"end\":{},\"text\":",
            span.line, span.start, span.end
        );
        out.extend_from_slice(place.as_bytes());
        json::string(new.as_bytes(), &mut out);
        out.push(b'}');
    }
    out.extend_from_slice(b"}\n");
    String::from_utf8_lossy(&out).into_owned()
}

/// Writes each file with its edits carried out, in place or to standard output.
fn fix(outcome: &Outcome, print: bool, console: &Console) -> Result<(), String> {
    let mut edits: BTreeMap<FileId, Vec<(Span, &str)>> = BTreeMap::new();
    for diag in outcome.report.sorted() {
        if let Some(edit) = &diag.edit {
            let of_file = edits.entry(edit.0.file).or_default();
            of_file.push((edit.0, &edit.1));
        }
    }
    for (file, path) in outcome.files.iter() {
        let own = edits.get(&file).map_or(&[][..], Vec::as_slice);
        let (new, left) = rewritten(outcome.files.text(file), own);
        for line in left {
            console.notice(&format!(
                "[{path}:{line}] is left as it is: it has a variable."
            ));
        }
        if print {
            console.answer_bytes(&new);
        } else if new != outcome.files.text(file) {
            replace(path, &new).map_err(|error| format!("{path}: {}", text(&error)))?;
        }
    }
    Ok(())
}

/// Puts a file in place of another, so that nobody sees half of it.
pub(super) fn replace(path: &str, new: &[u8]) -> std::io::Result<()> {
    let beside = format!("{path}.sluice-new");
    fs::write(&beside, new)?;
    fs::set_permissions(&beside, fs::metadata(path)?.permissions())?;
    fs::rename(&beside, path)
}

/// The text with the edits carried out and a last line that ends, and the lines that were left alone.
fn rewritten(old: &[u8], edits: &[(Span, &str)]) -> (Vec<u8>, Vec<u32>) {
    let (mut new, mut left) = (Vec::with_capacity(old.len() + 256), Vec::new());
    for (line, number) in old.split_inclusive(|&byte| byte == b'\n').zip(1..) {
        let mut of_line: Vec<_> = edits
            .iter()
            .filter(|(span, _)| span.line == number)
            .collect();
        of_line.sort_by_key(|(span, _)| span.start);
        let mut from = 0;
        for (span, text) in of_line {
            let (start, end) = (span.start as usize, (span.end as usize).min(line.len()));
            if start < from || start > end {
                continue;
            }
            if line[start..end].contains(&b'$') {
                left.push(number);
                continue;
            }
            new.extend_from_slice(&line[from..start]);
            new.extend_from_slice(text.as_bytes());
            from = end;
        }
        new.extend_from_slice(&line[from..]);
    }
    if new.last().is_some_and(|&byte| byte != b'\n') {
        new.push(b'\n');
    }
    (new, left)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "global\n    maxconn 10\nlisten web 127.0.0.1:80 name x  # the site\n\tmode http\n\tcontimeout   5s # short\n\
        clitimeout \"${NONE-5s}\"\n srvtimeout 5s\n acl a req_ssl_sni h\n\
        reqadd X-A:\\ b if { path /a }\n reqadd \"X-B: ${NONE-b}\"\n redisp\n timeout http-request 5s\n server s 127.0.0.1:1";

    fn outcome(text: &str) -> Outcome {
        let options = Options::default();
        let given = Given {
            env: &environment::of(&options, false),
            program: &load::program(&options),
        };
        let source = Source::Text {
            name: "t.cfg".into(),
            text: text.into(),
        };
        config::review(&[source], given, &Machine::new())
    }

    fn fixed(text: &str) -> (String, Vec<u32>) {
        let outcome = outcome(text);
        let sorted = outcome.report.sorted();
        let edits = sorted.iter().filter_map(|diag| diag.edit.as_deref());
        let edits: Vec<_> = edits.map(|(span, text)| (*span, &**text)).collect();
        let (new, left) = rewritten(text.as_bytes(), &edits);
        (String::from_utf8(new).expect("text"), left)
    }

    #[test]
    fn old_lines_become_modern_ones_and_comments_stay() {
        let (new, left) = fixed(OLD);
        let expected = "global\n    maxconn 10\nlisten web\n    bind 127.0.0.1:80 name x  # the site\n\tmode http\n\t\
            timeout connect   5s # short\ntimeout client \"${NONE-5s}\"\n timeout server 5s\n acl a req.ssl_sni h\n\
            http-request add-header X-A b if { path /a }\n reqadd \"X-B: ${NONE-b}\"\n option redispatch\n timeout http-request 5s\n server s 127.0.0.1:1\n";
        assert_eq!(new, expected);
        assert_eq!(left, [10]);
        let again = outcome(&new);
        assert_eq!((again.report.alerts(), again.report.warnings()), (0, 1));
        assert_eq!(fixed(&new).0, new);
    }

    #[test]
    fn findings_for_programs_have_places_and_edits() {
        let outcome = outcome(OLD);
        let all: Vec<String> = outcome
            .report
            .sorted()
            .into_iter()
            .map(|diag| object(diag, &outcome))
            .collect();
        let old = all
            .iter()
            .find(|line| line.contains("'contimeout'"))
            .expect("it is found");
        assert!(
            old.starts_with(
                "{\"file\":\"t.cfg\",\"line\":5,\"column\":1,\"end\":16,\"severity\":\"warning\","
            ),
            "{old}"
        );
        let edit = "\"edit\":{\"line\":5,\"column\":1,\"end\":11,\"text\":\"timeout connect\"}}\n";
        assert!(old.ends_with(edit), "{old}");
    }
}
