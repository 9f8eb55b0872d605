//! Reloads: what was asked for, and who waits to hear how it ended.

use crate::boot::window::ClientKey;

/// The reloads of a master.
#[derive(Debug, Default)]
pub(super) struct Reloads {
    /// One was asked for, and is not begun.
    pub(super) wanted: bool,
    /// Whether it shall end the former workers at once.
    hard: bool,
    /// How many were begun.
    pub(super) count: u32,
    /// How many starts of workers failed.
    pub(super) failures: u32,
    /// The number of the last start.
    begun: u64,
    /// Clients who wait for the end of the start with this number.
    awaiting: Vec<(ClientKey, u64)>,
    /// What the last start said.
    pub(super) said: String,
    /// The number of a start that succeeded, while that is still to be reported.
    succeeded: Option<u64>,
}

/// What those who waited hear.
pub(super) type Answers = Vec<(ClientKey, String)>;

impl Reloads {
    /// A client wants one.
    pub(super) fn ask(&mut self, client: ClientKey, hard: bool) {
        self.hard |= hard;
        // A worker that is starting has read its configuration already, perhaps before it was changed.
        self.awaiting.push((client, self.begun + 1));
        self.wanted = true;
    }

    /// A worker is started, in place of another if `again`.
    pub(super) fn begin(&mut self, again: bool) {
        self.wanted = false;
        self.count += u32::from(again);
        self.begun += 1;
    }

    /// The last start failed, and said why.
    pub(super) fn fail(&mut self, said: String) -> Answers {
        self.failures += 1;
        self.hard = false;
        self.said = said;
        self.answers(self.begun, false)
    }

    /// The last start succeeded; whether it shall end the former workers at once.
    pub(super) fn succeed(&mut self, said: String) -> bool {
        self.said = said;
        self.succeeded = Some(self.begun);
        std::mem::take(&mut self.hard)
    }

    /// No former worker can be reached any more: a success may be told.
    pub(super) fn settle(&mut self) -> Answers {
        match self.succeeded.take() {
            Some(number) => self.answers(number, true),
            None => Vec::new(),
        }
    }

    /// The start with this `number` came to its end: those who asked for it hear how.
    fn answers(&mut self, number: u64, success: bool) -> Answers {
        let due = self
            .awaiting
            .extract_if(.., |(_, awaited)| *awaited <= number);
        let answer = format!("Success={}\n--\n{}", u8::from(success), self.said);
        due.map(|(client, _)| (client, answer.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_while_a_start_is_on_waits_for_the_next() {
        let mut reloads = Reloads::default();
        reloads.ask(1, false);
        reloads.begin(true);
        reloads.ask(2, true);
        assert!(reloads.wanted);
        let heard = reloads.fail("why\n".to_owned());
        assert_eq!(heard, [(1, "Success=0\n--\nwhy\n".to_owned())]);
        reloads.begin(true);
        reloads.succeed("fine\n".to_owned());
        let heard = reloads.settle();
        assert_eq!(heard, [(2, "Success=1\n--\nfine\n".to_owned())]);
        assert!(reloads.settle().is_empty());
        assert_eq!((reloads.count, reloads.failures), (2, 1));
    }
}
