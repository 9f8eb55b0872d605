//! What one check found, and the sentences HAProxy makes of it.

use super::Status;
use crate::time::Millis;

/// The outcome of one check with its details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The outcome.
    pub status: Status,
    /// The protocol's code, where the status has one.
    pub code: u16,
    /// What the server said, or what went wrong; may be empty.
    pub text: String,
}

impl Report {
    /// An outcome without details.
    pub fn of(status: Status) -> Report {
        Report {
            status,
            code: 0,
            text: String::new(),
        }
    }

    /// An outcome with a text.
    pub fn with(status: Status, code: u16, text: impl Into<String>) -> Report {
        Report {
            status,
            code,
            text: text.into(),
        }
    }

    /// `, reason: …, code: …, info: "…", check duration: …ms`, as it follows `Server x/y is DOWN`.
    pub fn write_reason(&self, duration: Option<Millis>, out: &mut String) {
        out.push_str(", reason: ");
        out.push_str(self.status.text());
        if self.status.has_code() {
            out.push_str(&format!(", code: {}", self.code));
        }
        if !self.text.is_empty() {
            out.push_str(", info: \"");
            out.extend(self.text.chars().flat_map(escaped));
            out.push('"');
        }
        if let Some(duration) = duration {
            out.push_str(&format!(", check duration: {}ms", duration.get()));
        }
    }
}

/// A quote inside the text would end it early for whoever reads the log.
fn escaped(letter: char) -> impl Iterator<Item = char> {
    let plain = !matches!(letter, '"' | '\\');
    (!plain).then_some('\\').into_iter().chain([letter])
}

/// The line of `option log-health-checks`, of which the engine adds nothing but the end of line.
#[derive(Clone, Copy, Debug)]
pub struct Sentence<'a> {
    /// The backend's name.
    pub backend: &'a str,
    /// The server's name.
    pub server: &'a str,
    /// Whether it is a backup.
    pub backup: bool,
    /// Whether the agent was asked rather than the service.
    pub agent: bool,
    /// What was found.
    pub report: &'a Report,
    /// How long it took.
    pub duration: Millis,
    /// How far up or down: `1/3`, from [`super::Health::position`].
    pub position: (u32, u32),
    /// `UP`, `DRAIN` or `DOWN`.
    pub state: &'a str,
}

impl std::fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let which = if self.agent { "Agent" } else { "Health" };
        let backup = if self.backup { "backup " } else { "" };
        let outcome = match self.report.status.verdict() {
            super::Verdict::Passed => "succeeded",
            super::Verdict::Conditional => "conditionally succeeded",
            super::Verdict::Failed | super::Verdict::Neutral => "failed",
        };
        let mut reason = String::new();
        self.report.write_reason(Some(self.duration), &mut reason);
        let (at, of) = self.position;
        write!(
            f,
            "{which} check for {backup}server {}/{} {outcome}{reason}, status: {at}/{of} {}.",
            self.backend, self.server, self.state
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_is_haproxys() {
        let report = Report::with(Status::L7Ok, 221, "bye \"x\"");
        let sentence = Sentence {
            backend: "be1",
            server: "srv",
            backup: false,
            agent: false,
            report: &report,
            duration: Millis::new(2),
            position: (1, 1),
            state: "UP",
        };
        assert_eq!(
            sentence.to_string(),
            "Health check for server be1/srv succeeded, reason: Layer7 check passed, code: 221, info: \"bye \\\"x\\\"\", \
             check duration: 2ms, status: 1/1 UP."
        );
        let report = Report::of(Status::L4Timeout);
        let sentence = Sentence {
            report: &report,
            backup: true,
            agent: true,
            position: (0, 2),
            state: "DOWN",
            ..sentence
        };
        assert_eq!(
            sentence.to_string(),
            "Agent check for backup server be1/srv failed, reason: Layer4 timeout, check duration: 2ms, status: 0/2 DOWN."
        );
    }
}
