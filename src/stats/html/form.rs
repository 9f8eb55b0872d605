//! The form of those who may administer: what it offers, and what it sends.

use super::query::Verdict;
use crate::codec::percent;
use std::fmt::Write as _;

/// What to do with the chosen servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ready to serve.
    Ready,
    /// Finish what there is, take no new.
    Drain,
    /// Take nothing.
    Maintain,
    /// Stop health checks.
    DisableHealth,
    /// Resume them.
    EnableHealth,
    /// Count the health check as passed.
    HealthUp,
    /// Count it as passed but out of balancing.
    HealthStopping,
    /// Count it as failed.
    HealthDown,
    /// Stop agent checks.
    DisableAgent,
    /// Resume them.
    EnableAgent,
    /// Count the agent as up.
    AgentUp,
    /// Count it as down.
    AgentDown,
    /// End all sessions.
    Shutdown,
}

/// The words of the form, as HAProxy's form sends them.
const ACTIONS: [(&str, Action, &str); 13] = [
    ("ready", Action::Ready, "Set state to READY"),
    ("drain", Action::Drain, "Set state to DRAIN"),
    ("maint", Action::Maintain, "Set state to MAINT"),
    ("dhlth", Action::DisableHealth, "Health: disable checks"),
    ("ehlth", Action::EnableHealth, "Health: enable checks"),
    ("hrunn", Action::HealthUp, "Health: force UP"),
    ("hnolb", Action::HealthStopping, "Health: force NOLB"),
    ("hdown", Action::HealthDown, "Health: force DOWN"),
    ("dagent", Action::DisableAgent, "Agent: disable checks"),
    ("eagent", Action::EnableAgent, "Agent: enable checks"),
    ("arunn", Action::AgentUp, "Agent: force UP"),
    ("adown", Action::AgentDown, "Agent: force DOWN"),
    ("shutdown", Action::Shutdown, "Kill Sessions"),
];

/// Older words for the same.
const OLDER: [(&str, Action); 5] = [
    ("disable", Action::Maintain),
    ("enable", Action::Ready),
    ("stop", Action::Drain),
    ("start", Action::Ready),
    ("soft-stop", Action::Drain),
];

/// Which backend is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backend {
    /// By its number (`#3`).
    Id(u32),
    /// By its name.
    Name(String),
}

/// What a form asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What.
    pub action: Action,
    /// Where.
    pub backend: Backend,
    /// For which servers.
    pub servers: Vec<String>,
}

/// Reads the body of a form.
///
/// # Errors
/// What to tell whoever sent it.
pub fn parse(body: &[u8]) -> Result<Order, Verdict> {
    let (mut action, mut backend, mut servers) = (None, None, Vec::new());
    for pair in body.split(|&byte| byte == b'&') {
        let Some(equals) = pair.iter().position(|&byte| byte == b'=') else {
            continue;
        };
        let value = percent::decode(&pair[equals + 1..], true).ok_or(Verdict::BadParameters)?;
        let value = String::from_utf8(value).map_err(|_| Verdict::BadParameters)?;
        match &pair[..equals] {
            b"action" => action = Some(action_named(&value).ok_or(Verdict::BadParameters)?),
            b"b" => {
                backend = Some(match value.strip_prefix('#') {
                    Some(id) => Backend::Id(id.parse().map_err(|_| Verdict::BadParameters)?),
                    None => Backend::Name(value),
                });
            }
            b"s" => servers.push(value),
            _ => {}
        }
    }
    let (Some(action), Some(backend)) = (action, backend) else {
        return Err(Verdict::BadParameters);
    };
    if servers.is_empty() {
        return Err(Verdict::Nothing);
    }
    Ok(Order {
        action,
        backend,
        servers,
    })
}

fn action_named(word: &str) -> Option<Action> {
    let current = ACTIONS.iter().find(|(own, ..)| *own == word);
    let older = OLDER.iter().find(|(own, _)| *own == word);
    current
        .map(|(_, action, _)| *action)
        .or(older.map(|(_, action)| *action))
}

/// The choice of actions below a table.
pub(super) fn write(proxy_id: u32, out: &mut String) {
    out.push_str("Choose the action to perform on the checked servers: <select name=\"action\">");
    out.push_str("<option value=\"\"></option>");
    for (word, _, text) in ACTIONS {
        // Writing to a string cannot fail.
        let _ = write!(out, "<option value=\"{word}\">{text}</option>");
    }
    let _ = write!(
        out,
        "</select><input type=\"hidden\" name=\"b\" value=\"#{proxy_id}\"> \
         <input type=\"submit\" value=\"Apply\">"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read() {
        assert_eq!(
            parse(b"s=s1&s=a%20b&action=drain&b=%233"),
            Ok(Order {
                action: Action::Drain,
                backend: Backend::Id(3),
                servers: vec!["s1".into(), "a b".into()],
            })
        );
        let named = parse(b"b=be&s=s1&action=disable").expect("well formed");
        assert_eq!(named.backend, Backend::Name("be".into()));
        assert_eq!(named.action, Action::Maintain);
    }

    #[test]
    fn mistakes_have_their_verdicts() {
        assert_eq!(parse(b"s=s1&action=foo&b=be"), Err(Verdict::BadParameters));
        assert_eq!(parse(b"s=s1&action=ready"), Err(Verdict::BadParameters));
        assert_eq!(parse(b"action=ready&b=be"), Err(Verdict::Nothing));
        assert_eq!(
            parse(b"b=%23x&s=a&action=ready"),
            Err(Verdict::BadParameters)
        );
        assert_eq!(parse(b""), Err(Verdict::BadParameters));
    }
}
