//! What follows the page's address: the form wanted, what to leave out, what became of an action.

use std::fmt::Write as _;

/// Longest scope that is looked for.
pub(super) const SCOPE_LEN_MAX: usize = 20;

/// The form wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// The page.
    #[default]
    Html,
    /// `;csv`.
    Csv,
    /// `;typed`.
    Typed,
    /// `;json`.
    Json,
    /// `;json-schema`.
    JsonSchema,
}

impl Format {
    /// The type of the response's content.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html",
            Self::Csv | Self::Typed => "text/plain",
            Self::Json | Self::JsonSchema => "application/json",
        }
    }
}

/// What became of an action: four letters in the address of the page that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Done.
    Done,
    /// Nothing was to be done.
    Nothing,
    /// Done for some servers only.
    Partial,
    /// Refused.
    Denied,
    /// The request was longer than a buffer.
    TooLong,
    /// The parameters made no sense.
    BadParameters,
    /// The request was no form.
    Invalid,
}

const VERDICTS: [(Verdict, &str, &str); 7] = [
    (Verdict::Done, "DONE", "Action processed successfully."),
    (Verdict::Nothing, "NONE", "Nothing has changed."),
    (
        Verdict::Partial,
        "PART",
        "Action partially processed: some servers are unknown.",
    ),
    (Verdict::Denied, "DENY", "Action denied."),
    (
        Verdict::TooLong,
        "EXCD",
        "Action not processed: the request is too long, select fewer servers.",
    ),
    (
        Verdict::BadParameters,
        "ERRP",
        "Action not processed: the action, the backend or a server is unknown.",
    ),
    (
        Verdict::Invalid,
        "IVAL",
        "Action not processed: the request is no form.",
    ),
];

impl Verdict {
    /// Its four letters.
    #[must_use]
    pub fn code(self) -> &'static str {
        let row = VERDICTS.iter().find(|(verdict, ..)| *verdict == self);
        row.map_or("UNKN", |(_, code, _)| code)
    }

    /// What the page says.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        let row = VERDICTS.iter().find(|(verdict, ..)| *verdict == self);
        row.map_or("", |(.., sentence)| sentence)
    }

    /// Whether nothing went wrong.
    #[must_use]
    pub fn is_good(self) -> bool {
        matches!(self, Self::Done | Self::Nothing)
    }

    fn from_code(code: &str) -> Option<Self> {
        let row = VERDICTS.iter().find(|(_, own, _)| *own == code);
        row.map(|(verdict, ..)| *verdict)
    }
}

/// What a request for the page asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The form wanted.
    pub format: Format,
    /// Whether the page may reload itself.
    pub refresh: bool,
    /// Leave out servers that are down.
    pub up_only: bool,
    /// Leave out servers in maintenance.
    pub no_maintenance: bool,
    /// Only proxies with this in their name.
    pub scope: Option<String>,
    /// What became of the action before.
    pub verdict: Option<Verdict>,
}

impl Query {
    /// Reads what follows the page's address in the request's target.
    #[must_use]
    pub fn read(rest: &[u8]) -> Self {
        let rest = String::from_utf8_lossy(rest);
        let (options, parameters) = rest.split_once('?').unwrap_or((&rest, ""));
        let mut query = Self {
            format: Format::Html,
            refresh: true,
            up_only: false,
            no_maintenance: false,
            scope: scope(parameters),
            verdict: None,
        };
        // The address may hold the question mark itself (`/haproxy?stats;csv`): options count wherever they stand.
        for option in options.split(';').chain(parameters.split([';', '&'])) {
            match option {
                "csv" => query.format = Format::Csv,
                "typed" => query.format = Format::Typed,
                "json" => query.format = Format::Json,
                "json-schema" => query.format = Format::JsonSchema,
                "norefresh" => query.refresh = false,
                "up" => query.up_only = true,
                "no-maint" => query.no_maintenance = true,
                other => {
                    let code = other.strip_prefix("st=");
                    query.verdict = code.and_then(Verdict::from_code).or(query.verdict);
                }
            }
        }
        query
    }

    /// What to put behind the page's address to ask the same again.
    #[must_use]
    pub fn suffix(&self) -> String {
        let mut text = String::new();
        for (set, option) in [
            (self.up_only, ";up"),
            (self.no_maintenance, ";no-maint"),
            (!self.refresh, ";norefresh"),
        ] {
            if set {
                text.push_str(option);
            }
        }
        if let Some(verdict) = self.verdict {
            // Writing to a string cannot fail.
            let _ = write!(text, ";st={}", verdict.code());
        }
        if let Some(scope) = &self.scope {
            let _ = write!(text, "?scope={scope}");
        }
        text
    }
}

/// A scope of characters that names can have.
fn scope(parameters: &str) -> Option<String> {
    let value = parameters
        .split(['&', ';'])
        .find_map(|parameter| parameter.strip_prefix("scope="))?;
    let allowed = |c: &char| c.is_ascii_alphanumeric() || "._:-".contains(*c);
    let text: String = value
        .chars()
        .take_while(allowed)
        .take(SCOPE_LEN_MAX)
        .collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_wherever_they_stand() {
        let query = Query::read(b";up;norefresh;st=DONE?scope=be");
        assert!(query.up_only && !query.refresh);
        assert_eq!(query.verdict, Some(Verdict::Done));
        assert_eq!(query.scope.as_deref(), Some("be"));
        assert_eq!(query.suffix(), ";up;norefresh;st=DONE?scope=be");
        assert_eq!(Query::read(b";csv;norefresh").format, Format::Csv);
        assert_eq!(Query::read(b"?x;json").format, Format::Json);
        assert_eq!(Query::read(b";json-schema").format, Format::JsonSchema);
        assert_eq!(Query::read(b"").suffix(), "");
    }

    #[test]
    fn a_scope_is_cut_where_a_name_would_end() {
        assert_eq!(Query::read(b"?scope=a%22b").scope.as_deref(), Some("a"));
        assert_eq!(Query::read(b"?scope=").scope, None);
        let long = Query::read(b"?scope=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        assert_eq!(long.scope.map(|scope| scope.len()), Some(SCOPE_LEN_MAX));
    }
}
