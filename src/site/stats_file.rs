//! Counters that outlive the process: what `dump stats-file` writes and `stats-file` reads.
//!
//! A file has two sections, of frontends and listeners and of backends and servers. Each begins with the names of its columns and
//! has one line an object, which its GUID names. What a line does not understand is passed over: the file is another
//! process's, maybe of another version.

use std::fmt::Write as _;
use std::sync::Arc;

use super::Site;
use crate::id::{BackendId, FrontendId, ListenerId, ServerId};
use crate::stats::{Count, Tally};
use crate::time::Tick;

/// Whom a GUID names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A frontend.
    Frontend(FrontendId),
    /// A listener.
    Listener(ListenerId),
    /// A backend.
    Backend(BackendId),
    /// A server.
    Server(ServerId),
}

/// The columns that are kept, and what they count.
const COLUMNS: &[(&str, Count)] = &[
    ("stot", Count::Sessions),
    ("bin", Count::BytesIn),
    ("bout", Count::BytesOut),
    ("dreq", Count::DeniedRequests),
    ("dresp", Count::DeniedResponses),
    ("ereq", Count::FailedRequests),
    ("econ", Count::FailedConnections),
    ("eresp", Count::FailedResponses),
    ("wretr", Count::Retries),
    ("wredis", Count::Redispatches),
    ("lbtot", Count::Balanced),
    ("hrsp_1xx", Count::Responses1xx),
    ("hrsp_2xx", Count::Responses2xx),
    ("hrsp_3xx", Count::Responses3xx),
    ("hrsp_4xx", Count::Responses4xx),
    ("hrsp_5xx", Count::Responses5xx),
    ("req_tot", Count::Requests),
    ("cli_abrt", Count::ClientAborts),
    ("srv_abrt", Count::ServerAborts),
    ("conn_tot", Count::Connections),
    ("intercepted", Count::Intercepted),
    ("dcon", Count::DeniedConnections),
    ("dses", Count::DeniedSessions),
    ("connect", Count::Connects),
    ("reuse", Count::Reuses),
];

impl Site {
    /// Takes the counters of an earlier process over.
    pub fn read_stats_file(&self, text: &str) {
        let mut section: Option<(bool, Vec<Option<Count>>)> = None;
        for line in text.lines().map(str::trim) {
            if let Some(head) = line.strip_prefix('#') {
                section = columns(head);
                continue;
            }
            let Some((front, counts)) = &section else {
                continue;
            };
            let mut cells = line.split(',');
            let Some(tally) = cells.next().and_then(|guid| self.tally_of(guid, *front)) else {
                continue;
            };
            for (count, cell) in counts.iter().zip(cells) {
                if let (Some(count), Ok(value)) = (count, cell.parse()) {
                    tally.inherit(*count, value);
                }
            }
        }
    }

    /// The counters that a GUID stands for, on this side.
    fn tally_of(&self, guid: &str, front: bool) -> Option<&Tally> {
        let mut all = self.guids.iter().filter(|(known, _)| **known == *guid);
        all.find_map(|(_, named)| match *named {
            Named::Frontend(id) if front => Some(&self.frontend(id).tally),
            Named::Listener(id) if front => {
                let frontend = self.frontend(self.frontend_of(id)?);
                frontend.socket_stats.then(|| &self.listener(id).tally)
            }
            Named::Backend(id) if !front => Some(&self.backend(id).tally),
            Named::Server(id) if !front => Some(&self.server(id).tally),
            Named::Frontend(_) | Named::Listener(_) | Named::Backend(_) | Named::Server(_) => None,
        })
    }

    /// The counters of everything that has a GUID.
    pub fn write_stats_file(&self, now: Tick) -> String {
        let mut out = String::new();
        for (front, head) in [(true, "#fe guid,"), (false, "\n#be guid,")] {
            out.push_str(head);
            COLUMNS.iter().for_each(|(name, _)| {
                // Writing to a string cannot fail; here and below.
                let _ = write!(out, "{name},");
            });
            out.push('\n');
            for (guid, _) in &self.guids {
                let Some(tally) = self.tally_of(guid, front) else {
                    continue;
                };
                let folded = tally.fold(now);
                let _ = write!(out, "{guid},");
                for (_, count) in COLUMNS {
                    let _ = write!(out, "{},", folded.count(*count));
                }
                out.push('\n');
            }
        }
        out
    }

    /// Gives an object its GUID.
    ///
    /// # Errors
    /// Another one has it.
    pub fn name_uniquely(&mut self, guid: &str, named: Named) -> Result<(), Named> {
        let other = self.guids.iter().find(|(known, _)| **known == *guid);
        // Both halves of a `listen` have the one of the section.
        let halves = |other: Named| {
            matches!(
                (other, named),
                (Named::Frontend(_), Named::Backend(_)) | (Named::Backend(_), Named::Frontend(_))
            )
        };
        match other.map(|(_, other)| *other) {
            Some(other) if !halves(other) => Err(other),
            Some(_) | None => {
                self.guids.push((Arc::from(guid), named));
                Ok(())
            }
        }
    }
}

/// The side and the columns of a section; none where the section is of something else.
fn columns(head: &str) -> Option<(bool, Vec<Option<Count>>)> {
    let (side, names) = head.split_once(' ')?;
    let front = match side {
        "fe" => true,
        "be" => false,
        _ => return None,
    };
    let names = names.strip_prefix("guid,")?;
    let count = |name: &str| {
        let known = COLUMNS.iter().find(|(known, _)| *known == name);
        known.map(|(_, count)| *count)
    };
    Some((front, names.split(',').map(count).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::Frontend;

    fn site() -> Site {
        let mut site = Site::default();
        site.frontends.push(Frontend::default());
        let named = Named::Frontend(FrontendId::at(0));
        site.name_uniquely("g", named).expect("the first");
        site.open_books();
        site
    }

    #[test]
    fn what_is_written_is_read_again() {
        let (old, new) = (site(), site());
        let now = Tick::from_millis(5);
        old.read_stats_file("#fe guid,stot,nonsense,bin,\n\n// a remark\ng,7,8,9,\nzz,1,1,1\n");
        let text = old.write_stats_file(now);
        assert!(text.starts_with("#fe guid,stot,bin,"));
        new.read_stats_file(&text);
        let folded = new.frontends[0].tally.fold(now);
        assert_eq!(folded.count(Count::Sessions), 7);
        assert_eq!(folded.count(Count::BytesIn), 9);
    }

    #[test]
    fn what_means_nothing_changes_nothing() {
        let site = site();
        site.read_stats_file(
            "g,1\n#be guid,stot\ng,2\n#odd guid,stot\ng,3\n#fe guid,stot\ng,x\ng\n",
        );
        let folded = site.frontends[0].tally.fold(Tick::from_millis(5));
        assert_eq!(folded.count(Count::Sessions), 0);
    }

    #[test]
    fn a_guid_names_one() {
        let mut site = site();
        let taken = site.name_uniquely("g", Named::Server(ServerId::at(3)));
        assert_eq!(taken, Err(Named::Frontend(FrontendId::at(0))));
        let half = Named::Backend(BackendId::at(0));
        assert_eq!(site.name_uniquely("g", half), Ok(()));
    }
}
