//! What an agent answers: words that set a server's weight, limit and state.
//!
//! One line, words between blanks or commas, in any order and any case; the last of a kind wins. HAProxy's meanings: `75%` of the
//! configured weight, `maxconn:30`, `ready`, `drain`, `maint`, `up`, `down`, `fail`, `stopped`, and a text behind `#` for
//! operators.

use super::{AgentState, Report, Status};

/// What an agent wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentReply {
    /// A percentage of the configured weight.
    pub weight_percent: Option<u32>,
    /// `maxconn:`
    pub max_conn: Option<u32>,
    /// `ready`, `drain`, `maint`.
    pub mode: Option<AgentMode>,
    /// `up`, `down` and its synonyms.
    pub state: Option<AgentState>,
    /// The word that said so.
    word: Option<String>,
    /// The first word that means nothing.
    unknown: Option<String>,
    /// What stands behind `#`.
    text: String,
}

/// What mode an agent puts its server into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentMode {
    /// No drain, no maintenance.
    Ready,
    /// Finish what there is.
    Drain,
    /// Maintenance.
    Maintenance,
}

/// Reads what has come; none while the line is unfinished and more may come.
pub fn read(input: &[u8], ended: bool) -> Option<AgentReply> {
    let end = input.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
    if end.is_none() && !ended && input.len() < LINE_MAX {
        return None;
    }
    let line = &input[..end.unwrap_or(input.len()).min(LINE_MAX)];
    let line = String::from_utf8_lossy(line);
    let (orders, text) = line
        .split_once('#')
        .map_or((&*line, None), |(orders, text)| (orders, Some(text)));
    let mut reply = AgentReply {
        weight_percent: None,
        max_conn: None,
        mode: None,
        state: None,
        word: None,
        unknown: None,
        text: String::new(),
    };
    for word in orders
        .split([' ', '\t', ','])
        .filter(|word| !word.is_empty())
    {
        if !obey(&mut reply, word) && reply.unknown.is_none() {
            reply.unknown = Some(word.to_owned());
        }
    }
    reply.text = text
        .map(|text| text.trim_start().to_owned())
        .unwrap_or_default();
    Some(reply)
}

impl AgentReply {
    /// What is reported: the word about the server's health, else what was odd. `warning` says what could not be carried out.
    pub fn report(&self, warning: Option<&str>) -> Report {
        let odd = self.unknown.as_deref().or(warning);
        let Some(word) = &self.word else {
            let text = match (&self.unknown, warning) {
                (Some(word), _) => format!("agent reports an error : {word}"),
                (None, Some(warning)) => format!("agent warns : {warning}"),
                (None, None) => String::new(),
            };
            return Report::with(Status::Checked, 0, text);
        };
        let down = self.state == Some(AgentState::Down);
        // Why it is down is worth more than what else was odd.
        let said = match odd {
            Some(odd) if self.text.is_empty() || !down => odd,
            Some(_) | None => &self.text,
        };
        let note = match said {
            "" => String::new(),
            said => format!(" ({said})"),
        };
        let status = if down { Status::L7Status } else { Status::L7Ok };
        Report::with(status, 0, format!("via agent : {word}{note}"))
    }
}

/// Takes one word into the reply; false when it means nothing.
fn obey(reply: &mut AgentReply, word: &str) -> bool {
    if let Some(percent) = word.strip_suffix('%') {
        let Ok(percent) = percent.parse::<u32>() else {
            return false;
        };
        reply.weight_percent = Some(percent);
        return true;
    }
    let lower = word.to_ascii_lowercase();
    if let Some(limit) = lower.strip_prefix("maxconn:") {
        let Ok(limit) = limit.parse() else {
            return false;
        };
        reply.max_conn = Some(limit);
        return true;
    }
    match lower.as_str() {
        "ready" => reply.mode = Some(AgentMode::Ready),
        "drain" => reply.mode = Some(AgentMode::Drain),
        "maint" => reply.mode = Some(AgentMode::Maintenance),
        "up" | "down" | "fail" | "stopped" => {
            let up = lower == "up";
            reply.state = Some(if up { AgentState::Up } else { AgentState::Down });
            reply.word = Some(word.to_owned());
        }
        _ => return false,
    }
    true
}

/// The longest line of an agent.
const LINE_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> AgentReply {
        for cut in 0..text.len() {
            assert_eq!(
                read(&text.as_bytes()[..cut], false),
                None,
                "{cut} bytes of {text:?}"
            );
        }
        read(format!("{text}\n").as_bytes(), false).expect("a whole line")
    }

    #[test]
    fn orders() {
        let reply = line("75%,maxconn:30,maint,down");
        assert_eq!((reply.weight_percent, reply.max_conn), (Some(75), Some(30)));
        assert_eq!(
            (reply.mode, reply.state),
            (Some(AgentMode::Maintenance), Some(AgentState::Down))
        );
        assert_eq!(reply.report(None).text, "via agent : down");
        let reply = line("up ready 100%");
        assert_eq!(
            (reply.mode, reply.state),
            (Some(AgentMode::Ready), Some(AgentState::Up))
        );
        let report = Report::with(Status::L7Ok, 0, "via agent : up");
        assert_eq!(reply.report(None), report);
        assert_eq!(line("down UP").state, Some(AgentState::Up));
        let full = line("Stopped # disk full").report(Some("x"));
        assert_eq!(full.text, "via agent : Stopped (disk full)");
    }

    #[test]
    fn nonsense_is_reported() {
        for text in ["hello", "1e3%", "maxconn:x"] {
            let report = line(text).report(None);
            assert_eq!(report.status, Status::Checked);
            assert_eq!(report.text, format!("agent reports an error : {text}"));
        }
        assert_eq!(line("").report(None), Report::of(Status::Checked));
        assert_eq!(line("10%").report(Some("no")).text, "agent warns : no");
        assert_eq!(line("up hello").report(None).text, "via agent : up (hello)");
        assert_eq!(
            read(b"up", true).and_then(|reply| reply.state),
            Some(AgentState::Up)
        );
    }
}
