//! What an expectation says of the answer so far: it holds, it fails, or more must come.
//!
//! A [`Judge`] looks at what a run has received and changes nothing; the run notes the verdict. An HTTP answer is judged by
//! its head or by its body, anything else by its bytes. The sentences are HAProxy's.

use super::{Run, commented};
use crate::check::answer::HttpAnswer;
use crate::check::expect::Expect;
use crate::check::script::{Phrase, Step};
use crate::check::{Report, Status};
use crate::proto::probe::first_line;
use crate::sample::Facts;

/// The report if the expectation holds, or if it fails.
type Verdict = Result<Report, Report>;

/// One expectation before the answer of a run.
pub(super) struct Judge<'a> {
    pub(super) run: &'a Run,
    pub(super) step: &'a Step,
    pub(super) expect: &'a Expect,
    /// What is known, this answer included.
    pub(super) facts: &'a Facts<'a>,
}

impl Judge<'_> {
    /// The verdict; none while more must come.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        match &self.run.http {
            Some(http) if http.has_head() => self.of_http(http),
            Some(_) => self.run.ended.then(|| Err(no_http(self.step, self.expect))),
            None => self.of_bytes(),
        }
    }

    fn of_http(&self, http: &HttpAnswer) -> Option<Verdict> {
        let expect = self.expect;
        let code = http.head.status().code();
        if let Some(found) = expect.what.found_in_head(&http.head, self.facts) {
            if self.run.script.disable_on_404 && code == 404 {
                return Some(Ok(Report::with(Status::L7Conditional, code, "")));
            }
            if found == expect.negated {
                let reason = first_line(http.head.reason());
                let mut report = self.failed(Status::L7Status, reason);
                report.code = self.code().unwrap_or(code);
                return Some(Err(report));
            }
        } else {
            let found = expect.what.found_in(&http.body, self.facts);
            if !found && !http.is_whole() {
                return None;
            }
            if found == expect.negated {
                let text = match (found, http.body.is_empty()) {
                    (true, _) => "HTTP check matched unwanted content",
                    (false, true) => "HTTP content check could not find a response body",
                    (false, false) => "HTTP content check did not match",
                };
                return Some(Err(self.failed(Status::L7Response, text.to_owned())));
            }
        }
        Some(Ok(self.passed(code, "")))
    }

    fn of_bytes(&self) -> Option<Verdict> {
        let (run, expect, number) = (self.run, self.expect, self.step.number);
        if run.received.is_empty() {
            let text = format!("TCPCHK got an empty response at step {number}");
            return run
                .ended
                .then(|| Err(self.failed(Status::L7Response, text)));
        }
        let too_few = expect.min_bytes.is_some_and(|min| run.received.len() < min);
        if too_few && !run.ended {
            return None;
        }
        let found = expect.what.found_in(&run.received, self.facts);
        // More bytes may bring what is missing, unless so many were said to be enough.
        if !found && !run.ended && expect.min_bytes.is_none() {
            return None;
        }
        if found == expect.negated {
            let how = if found {
                "matched unwanted content"
            } else {
                "did not match content"
            };
            let what = expect.what.mismatch();
            let text = format!("TCPCHK {how}{what} at step {number}");
            let mut report = self.failed(Status::L7Response, text);
            report.code = self.code().unwrap_or(0);
            return Some(Err(report));
        }
        Some(Ok(self.passed(0, "(tcp-check)")))
    }

    /// The expectation holds: its own code and text, or else these.
    fn passed(&self, code: u16, text: &str) -> Report {
        let own = self.expect.on_success.as_deref();
        let text = own.map_or(text.to_owned(), |phrase| written(phrase, self.facts));
        let status = self.expect.ok.unwrap_or(Status::L7Ok);
        Report::with(status, self.code().unwrap_or(code), text)
    }

    /// The expectation fails: with its own text, or else this one.
    fn failed(&self, status: Status, text: String) -> Report {
        let own = self.expect.on_error.as_deref();
        let text = own.map_or(text, |phrase| written(phrase, self.facts));
        failure(self.step, self.expect, status, text)
    }

    /// The code that the expectation reads out of the answer.
    fn code(&self) -> Option<u16> {
        let phrase = self.expect.code.as_deref()?;
        written(phrase, self.facts).trim().parse().ok()
    }
}

/// The report of an answer that is not HTTP, or not yet where it ends.
pub(super) fn no_http(step: &Step, expect: &Expect) -> Report {
    failure(step, expect, Status::L7Response, String::new())
}

fn failure(step: &Step, expect: &Expect, status: Status, text: String) -> Report {
    let status = expect.error.unwrap_or(status);
    Report::with(status, 0, commented(text, step))
}

fn written(phrase: &dyn Phrase, facts: &Facts<'_>) -> String {
    let mut out = Vec::new();
    phrase.write(facts, &mut out);
    first_line(&out)
}
