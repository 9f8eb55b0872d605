//! The outcomes of checks, one row each: HAProxy's short name, its sentence, what it means for the server.

/// What an outcome means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: the check could not be made, or has not been.
    Neutral,
    /// The server fails.
    Failed,
    /// The server passes.
    Passed,
    /// The server passes, but wants no new clients (`http-check disable-on-404`).
    Conditional,
}

macro_rules! statuses {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $text:literal, $verdict:ident, $code:literal;)*) => {
        /// The outcome of a check. The numbers are HAProxy's, which `show servers state` tells.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Status { $(#[doc = $text] $(#[$doc])* $variant,)* }

        impl Status {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Status] = &[$(Status::$variant,)*];

            /// As in `check_status`: `L7OK`.
            pub fn name(self) -> &'static str {
                match self { $(Status::$variant => $name,)* }
            }

            /// As in `check_desc` and in messages.
            pub fn text(self) -> &'static str {
                match self { $(Status::$variant => $text,)* }
            }

            /// What it means for the server.
            pub fn verdict(self) -> Verdict {
                match self { $(Status::$variant => Verdict::$verdict,)* }
            }

            /// Whether a code belongs to it.
            pub fn has_code(self) -> bool {
                match self { $(Status::$variant => $code,)* }
            }
        }
    };
}

statuses! {
    Unknown = "UNK", "Unknown", Neutral, false;
    Initializing = "INI", "Initializing", Neutral, false;
    /// A check begins.
    Started = "", "", Neutral, false;
    Checked = "CHECKED", "No status change", Neutral, false;
    Observed = "HANA", "Health analyze", Failed, false;
    /// The check could not be made for want of something that is this host's own.
    SocketError = "SOCKERR", "Socket error", Neutral, false;
    L4Ok = "L4OK", "Layer4 check passed", Passed, false;
    L4Timeout = "L4TOUT", "Layer4 timeout", Failed, false;
    L4Connection = "L4CON", "Layer4 connection problem", Failed, false;
    L6Ok = "L6OK", "Layer6 check passed", Passed, false;
    L6Timeout = "L6TOUT", "Layer6 timeout", Failed, false;
    L6Response = "L6RSP", "Layer6 invalid response", Failed, false;
    L7Timeout = "L7TOUT", "Layer7 timeout", Failed, false;
    L7Response = "L7RSP", "Layer7 invalid response", Failed, false;
    /// More has to come.
    Data = "", "", Neutral, false;
    L7Ok = "L7OK", "Layer7 check passed", Passed, true;
    L7Conditional = "L7OKC", "Layer7 check conditionally passed", Conditional, true;
    L7Status = "L7STS", "Layer7 wrong status", Failed, true;
    ProgramError = "PROCERR", "External check error", Failed, true;
    ProgramTimeout = "PROCTOUT", "External check timeout", Failed, true;
    ProgramOk = "PROCOK", "External check passed", Passed, true;
}

impl Status {
    /// The status of this number, as stored in an atomic.
    pub fn numbered(number: u8) -> Status {
        Status::ALL
            .get(usize::from(number))
            .copied()
            .unwrap_or(Status::Unknown)
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The status of this short name, as configurations give it.
    pub fn named(name: &str) -> Option<Status> {
        Status::ALL
            .iter()
            .copied()
            .find(|status| !name.is_empty() && status.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_lead_back() {
        for &status in Status::ALL {
            assert_eq!(Status::numbered(status.number()), status);
            if !status.name().is_empty() {
                assert_eq!(Status::named(status.name()), Some(status));
            }
        }
        assert_eq!(Status::numbered(200), Status::Unknown);
        assert_eq!(Status::named("l7ok"), None);
        assert_eq!(Status::named(""), None);
        assert_eq!((Status::L4Ok.number(), Status::L7Ok.number()), (6, 15));
    }

    #[test]
    fn only_passing_names_pass() {
        for &status in Status::ALL {
            let passes = matches!(status.verdict(), Verdict::Passed | Verdict::Conditional);
            assert_eq!(passes, status.text().contains("passed"), "{status:?}");
        }
    }
}
