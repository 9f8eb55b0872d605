//! `sluice explain`: what a keyword means, from the same rows that read it.

use std::fmt::Write as _;

use crate::config::catalog::{self, Effect, Row};
use crate::lang::{Sections, suggest};

/// What the operator asked for, or nothing when no keyword has that name or begins with it.
pub fn explain(words: &[String]) -> Result<String, String> {
    let name = words.join(" ");
    let exact: Vec<Row> = catalog::rows()
        .filter(|row| row.entry.name == name)
        .collect();
    let found = if exact.is_empty() {
        let longer = format!("{name} ");
        catalog::rows()
            .filter(|row| row.entry.name.starts_with(&longer))
            .collect()
    } else {
        exact
    };
    if found.is_empty() {
        let names: Vec<&str> = catalog::rows().map(|row| row.entry.name).collect();
        let near = suggest(&name, names).map(|near| format!("; did you mean '{near}' maybe ?"));
        return Err(format!("no keyword '{name}'{}", near.unwrap_or_default()));
    }
    let mut out = String::new();
    for row in found {
        describe(&row, &mut out);
    }
    Ok(out)
}

fn describe(row: &Row, out: &mut String) {
    let entry = &row.entry;
    let effect = match row.effect {
        Effect::Works => "",
        Effect::None => "It is accepted and has no effect here.\n",
        Effect::Refused => "It is refused.\n",
    };
    let doc = if entry.doc.is_empty() {
        String::new()
    } else {
        format!("    {}\n", entry.doc)
    };
    let effect = if effect.is_empty() {
        String::new()
    } else {
        format!("    {effect}")
    };
    let _ = writeln!(
        out,
        "{} {}\n    in: {}\n{doc}{effect}",
        entry.name,
        entry.usage,
        places(entry.sections).join(", ")
    );
}

fn places(sections: Sections) -> Vec<&'static str> {
    [
        (Sections::GLOBAL, "global"),
        (Sections::DEFAULTS, "defaults"),
        (Sections::FRONTEND, "frontend"),
        (Sections::BACKEND, "backend"),
        (Sections::BIND, "a bind line"),
        (Sections::SERVER, "a server line"),
    ]
    .into_iter()
    .filter(|(section, _)| sections.meets(*section))
    .map(|(_, name)| name)
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &str) -> Result<String, String> {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        explain(&words)
    }

    #[test]
    fn keywords_families_and_near_misses() {
        let text = of("timeout connect").expect("a keyword");
        assert!(text.starts_with("timeout connect "), "{text}");
        assert!(text.contains("defaults") && text.contains("backend"));
        let family = of("timeout").expect("a family");
        assert!(family.contains("timeout client ") && family.contains("timeout server "));
        let error = of("maxcon").expect_err("misspelt");
        assert!(error.contains("did you mean 'maxconn'"), "{error}");
    }
}
