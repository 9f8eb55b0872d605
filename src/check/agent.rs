//! What an agent answers: words that set a server's weight, limit and state.
//!
//! One line, words between blanks or commas, in any order; the last of a kind wins, except that orders to go down beat
//! `up`. HAProxy's meanings: `75%` of the configured weight, `maxconn:30`, `ready`, `drain`, `maint`, `up`, `down`, `failed`,
//! `stopped`, and a text behind `#` for operators.

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
    /// What is reported.
    pub report: Report,
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
        report: Report::of(Status::L7Ok),
    };
    let mut unknown = None;
    for word in orders
        .split([' ', '\t', ','])
        .filter(|word| !word.is_empty())
    {
        if !obey(&mut reply, word) && unknown.is_none() {
            unknown = Some(word.to_owned());
        }
    }
    let silent = reply.weight_percent.is_none()
        && reply.max_conn.is_none()
        && reply.mode.is_none()
        && reply.state.is_none();
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    match (silent, unknown) {
        (true, unknown) => {
            reply.report = Report::with(Status::L7Response, 0, unknown.unwrap_or_default())
        }
        (false, Some(word)) if reply.state != Some(AgentState::Down) => {
            // haproxy: the orders understood are carried out, and the word that was not is shown.
            reply.report.text = text.map_or(word, str::to_owned);
        }
        (false, _) => reply.report.text = text.unwrap_or_default().to_owned(),
    }
    Some(reply)
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
    if let Some(limit) = word.strip_prefix("maxconn:") {
        let Ok(limit) = limit.parse() else {
            return false;
        };
        reply.max_conn = Some(limit);
        return true;
    }
    match word {
        "ready" => reply.mode = Some(AgentMode::Ready),
        "drain" => reply.mode = Some(AgentMode::Drain),
        "maint" => reply.mode = Some(AgentMode::Maintenance),
        "up" => {
            if reply.state.is_none() {
                reply.state = Some(AgentState::Up);
            }
        }
        "down" | "failed" | "stopped" => {
            reply.state = Some(AgentState::Down);
            reply.report = Report::of(Status::L7Status);
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
        assert_eq!(reply.report.status, Status::L7Status);
        let reply = line("up ready 100%");
        assert_eq!(
            (reply.mode, reply.state),
            (Some(AgentMode::Ready), Some(AgentState::Up))
        );
        assert_eq!(reply.report, Report::of(Status::L7Ok));
        assert_eq!(line("down up").state, Some(AgentState::Down));
        assert_eq!(line("stopped # disk full").report.text, "disk full");
    }

    #[test]
    fn nonsense_is_a_wrong_response() {
        for text in ["hello", "", "1e3%", "maxconn:x"] {
            assert_eq!(line(text).report.status, Status::L7Response, "{text:?}");
        }
        assert_eq!(line("up hello").report.text, "hello");
        assert_eq!(
            read(b"up", true).and_then(|reply| reply.state),
            Some(AgentState::Up)
        );
    }
}
