//! Names of headers that no header has.

use crate::lang::{Diag, Word};

/// Actions whose next word names a header.
const ACTIONS: [&str; 5] = [
    "set-header",
    "add-header",
    "del-header",
    "replace-header",
    "replace-value",
];

pub(super) fn look(lines: &[Vec<Word>], found: &mut Vec<Diag>) {
    for line in lines {
        let [set, action, name, ..] = &line[..] else {
            continue;
        };
        let is_rule = matches!(
            set.str(),
            "http-request" | "http-response" | "http-after-response"
        );
        let Some(plain) = name.str().strip_suffix(':') else {
            continue;
        };
        if is_rule && ACTIONS.contains(&action.str()) {
            let text = format!(
                "the colon of '{}' is taken for a part of the header's name.",
                name.str()
            );
            found.push(Diag::notice(name.span, text).with_fix(plain));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::advice_of;

    #[test]
    fn colons_are_no_part_of_names() {
        let colons = |line: &str| {
            let advice = advice_of(&format!("listen l\nbind :1\n{line}"));
            advice.iter().filter(|text| text.contains("colon")).count()
        };
        assert_eq!(colons("http-request set-header X-A: b"), 1);
        assert_eq!(colons("http-response del-header X-A: if x"), 1);
        assert_eq!(colons("http-request set-header X-A b:"), 0);
        assert_eq!(colons("http-request set-path X-A:"), 0);
    }
}
