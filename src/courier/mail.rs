//! A letter on its way to a mail server: the sender's side of SMTP (RFC 5321), one letter a connection.
//!
//! Each command waits for the reply to the one before; a reply of another kind than the expected one, or none in time, ends
//! the conversation, and the letter is lost, for whoever does not take it now will not take it later. Addresses come from
//! the configuration, the sentence from the site.

use std::sync::Arc;

use super::{Around, Outcome, Said, Talk};
use crate::site::Mail;
use crate::sys::clock;
use crate::time::Tick;
use crate::time::date::{Dates, Zone};

/// The longest line of a reply that is waited for (RFC 5321, 4.5.3.1.5).
const REPLY_LINE_MAX: usize = 512;

/// The conversation about one letter.
#[derive(Debug)]
pub(super) struct MailTalk {
    /// What is still to be said, each after this reply; the last reply is followed by nothing.
    steps: std::vec::IntoIter<(u16, Vec<u8>)>,
    until: Tick,
}

impl MailTalk {
    /// Sends this sentence, which has time until then.
    pub(super) fn new(mail: &Mail, host: &str, text: &str, until: Tick) -> Self {
        let command = |text: String| text.into_bytes();
        let host = mail.hostname.as_deref().unwrap_or(host);
        let steps = vec![
            (220, command(format!("HELO {host}\r\n"))),
            (250, command(format!("MAIL FROM:<{}>\r\n", mail.from))),
            (250, command(format!("RCPT TO:<{}>\r\n", mail.to))),
            (250, command("DATA\r\n".to_owned())),
            (354, letter(mail, text, clock::realtime().secs)),
            (250, command("QUIT\r\n".to_owned())),
            (221, Vec::new()),
        ];
        Self {
            steps: steps.into_iter(),
            until,
        }
    }
}

/// The letter with its end.
fn letter(mail: &Mail, text: &str, secs: i64) -> Vec<u8> {
    let mut date = Vec::new();
    Dates::new(Zone::of_process()).pattern("%a, %d %b %Y %H:%M:%S %z", secs, false, &mut date);
    let date = String::from_utf8_lossy(&date);
    // A sentence is one line: whoever could write more of them into it could write fields.
    let text: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    let text = text.trim_end();
    let dot = if text.starts_with('.') { "." } else { "" };
    format!(
        "From: {}\r\nTo: {}\r\nDate: {date}\r\nSubject: [HAProxy Alert] {text}\r\n\r\n{dot}{text}\r\n\r\n.\r\n",
        mail.from, mail.to
    )
    .into_bytes()
}

/// Takes a whole reply and gives its code; an error where what came is none.
fn take_reply(input: &mut Vec<u8>) -> Result<Option<u16>, ()> {
    loop {
        let Some(end) = memchr::memchr(b'\n', input) else {
            return if input.len() > REPLY_LINE_MAX {
                Err(())
            } else {
                Ok(None)
            };
        };
        let line: Vec<u8> = input.drain(..=end).collect();
        let code = line
            .get(..3)
            .and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| code.parse().ok()).ok_or(())?;
        // A hyphen says that more lines follow.
        if line.get(3) != Some(&b'-') {
            return Ok(Some(code));
        }
    }
}

impl Talk for MailTalk {
    fn advance(&mut self, said: Said<'_>, around: Around<'_>) -> Outcome {
        loop {
            match take_reply(said.input) {
                Err(()) => return Outcome::Over,
                Ok(None) if said.ended || self.until.has_come(around.now) => return Outcome::Over,
                Ok(None) => return Outcome::Go,
                Ok(Some(code)) => match self.steps.next() {
                    Some((expected, next)) if code == expected => {
                        said.output.extend_from_slice(&next);
                    }
                    Some(_) | None => return Outcome::Over,
                },
            }
            if self.steps.as_slice().is_empty() {
                return Outcome::Over;
            }
        }
    }

    fn deadline(&self) -> Tick {
        self.until
    }

    fn end(&mut self, _: Around<'_>) {}
}

/// The next letter of a box, as a conversation.
pub(super) fn next(around: Around<'_>, backend: usize, at: usize) -> Option<MailTalk> {
    let mail = around.site.backends.get(backend)?.mail.as_ref()?;
    let own = mail.boxes.get(at)?;
    let text: Arc<str> = own.take()?;
    let host = &around.site.hostname;
    Some(MailTalk::new(mail, host, &text, around.now + own.timeout))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Level;
    use crate::site::Site;

    fn mail() -> Mail {
        Mail {
            level: Level::Alert,
            from: "a@b".into(),
            to: "c@d".into(),
            hostname: Some("here".into()),
            boxes: Vec::new(),
        }
    }

    /// What is said after each of these pieces.
    fn said(pieces: &[&str]) -> (Vec<String>, Outcome) {
        let site = Site::default();
        let around = Around {
            site: &site,
            now: Tick::from_millis(1),
        };
        let mut talk = MailTalk::new(&mail(), "elsewhere", ".x is\ndown", Tick::from_millis(9));
        let (mut input, mut all, mut outcome) = (Vec::new(), Vec::new(), Outcome::Go);
        for piece in pieces {
            input.extend_from_slice(piece.as_bytes());
            let mut output = Vec::new();
            let said = Said {
                input: &mut input,
                output: &mut output,
                ended: false,
            };
            outcome = talk.advance(said, around);
            all.push(String::from_utf8_lossy(&output).into_owned());
        }
        (all, outcome)
    }

    #[test]
    fn a_letter_is_handed_over_command_by_command() {
        let (all, outcome) = said(&[
            "220-hello\r\n2",
            "20 there\r\n",
            "250 ok\r\n",
            "250 ok\r\n",
            "250 ok\r\n",
            "354 go on\r\n",
            "250 taken\r\n",
            "221 bye\r\n",
        ]);
        assert_eq!(all[..2], ["", "HELO here\r\n"]);
        assert_eq!(
            all[2..5].concat(),
            "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"
        );
        assert!(
            all[5].starts_with("From: a@b\r\nTo: c@d\r\nDate: "),
            "{all:?}"
        );
        let end = "\r\nSubject: [HAProxy Alert] .x is down\r\n\r\n..x is down\r\n\r\n.\r\n";
        assert!(all[5].ends_with(end), "{all:?}");
        assert_eq!((all[6].as_str(), outcome), ("QUIT\r\n", Outcome::Over));
    }

    #[test]
    fn another_reply_ends_it() {
        assert_eq!(said(&["220 a\r\n", "550 no\r\n"]).1, Outcome::Over);
        assert_eq!(said(&["hello there\r\n"]).1, Outcome::Over);
        assert_eq!(said(&["220 a\r\n", "25"]).1, Outcome::Go);
    }
}
