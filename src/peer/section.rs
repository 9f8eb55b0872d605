//! A `peers` section as it runs, and how it is shown.

use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Shards;
use crate::addr::SockAddr;
use crate::id::TableId;
use crate::stick::Table;
use crate::time::{Millis, Tick};

/// How long a process waits for somebody to learn from before it takes itself for complete.
pub(super) const LEARN_TIME: Millis = Millis::seconds(5);

/// A section.
#[derive(Debug)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Its members, this process among them.
    pub members: Vec<Member>,
    /// This process's place among them.
    pub local: usize,
    /// The tables that are shared.
    pub tables: Vec<Shared>,
    /// The parts in which members are told of them.
    pub shards: Shards,
    standing: Mutex<Standing>,
}

/// A member.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub address: Option<SockAddr>,
    /// Which part of the tables it is told of; 0: all.
    pub shard: u32,
}

/// A shared table.
#[derive(Clone, Debug)]
pub struct Shared {
    /// Which.
    pub table: TableId,
    /// Its name among peers.
    pub name: String,
}

/// How far everybody is.
#[derive(Debug, Default)]
pub(super) struct Standing {
    pub(super) learning: Learning,
    pub(super) members: Vec<Progress>,
}

/// Whether this process knows what its peers know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Learning {
    /// Nobody was asked; when that is given up.
    #[default]
    Begun,
    /// Until this moment somebody is looked for.
    Seeks(Tick),
    /// This member was asked.
    Asked(usize),
    /// All is known, or nobody could be asked.
    Done,
}

/// How far a member is.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    pub(super) connected: bool,
    pub(super) status: &'static str,
    /// By shared table: the last change that it has.
    pub(super) acked: Vec<u32>,
    /// Whether it does not know all itself.
    pub(super) partial: bool,
    pub(super) sessions: u32,
}

impl Section {
    /// A section before anybody connects.
    #[must_use]
    pub fn new(name: String, members: Vec<Member>, local: usize, tables: Vec<Shared>) -> Section {
        let progress = Progress {
            acked: vec![0; tables.len()],
            status: "NONE",
            ..Progress::default()
        };
        let standing = Standing {
            members: vec![progress; members.len()],
            ..Standing::default()
        };
        Section {
            name,
            members,
            local,
            tables,
            shards: Shards::default(),
            standing: Mutex::new(standing),
        }
    }

    /// Whether a member is told of this entry of a table.
    pub(super) fn tells(&self, member: Option<usize>, table: &str, key: &[u8]) -> bool {
        let member = member.and_then(|at| self.members.get(at));
        member.is_none_or(|member| self.shards.tell(member.shard, table, key))
    }

    /// The name of this process.
    #[must_use]
    pub fn local_name(&self) -> &str {
        self.members.get(self.local).map_or("", |local| &local.name)
    }

    /// How many members a session is held with.
    #[must_use]
    pub fn connected(&self) -> usize {
        let standing = self.standing();
        let members = standing.members.iter();
        members.filter(|member| member.connected).count()
    }

    pub(super) fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `member` is to be asked for all it knows, which is then noted.
    pub(super) fn asks(&self, member: usize, now: Tick) -> bool {
        let mut standing = self.standing();
        if standing.learning == Learning::Begun {
            standing.learning = Learning::Seeks(now + LEARN_TIME);
        }
        let Learning::Seeks(until) = standing.learning else {
            return false;
        };
        if until.has_come(now) {
            standing.learning = Learning::Done;
            return false;
        }
        let partial = standing.members.get(member).is_none_or(|one| one.partial);
        if partial || member == self.local {
            return false;
        }
        standing.learning = Learning::Asked(member);
        true
    }

    /// `member` has told all it knows, completely or not.
    pub(super) fn learned(&self, member: usize, complete: bool, now: Tick) {
        let mut standing = self.standing();
        if complete {
            standing.learning = Learning::Done;
            return;
        }
        if let Some(one) = standing.members.get_mut(member) {
            one.partial = true;
        }
        if standing.learning == Learning::Asked(member) {
            standing.learning = Learning::Seeks(now + LEARN_TIME);
        }
    }

    /// Session `number` with `member` is over; one that another has replaced is not missed.
    pub(super) fn lost(&self, member: usize, number: u32, now: Tick) {
        let mut standing = self.standing();
        let Some(one) = standing.members.get_mut(member) else {
            return;
        };
        if one.sessions != number {
            return;
        }
        (one.connected, one.status) = (false, "CLSD");
        if standing.learning == Learning::Asked(member) {
            standing.learning = Learning::Seeks(now + LEARN_TIME);
        }
    }

    /// Whether all that peers know is known here.
    pub(super) fn is_complete(&self, now: Tick) -> bool {
        match self.standing().learning {
            Learning::Done => true,
            Learning::Seeks(until) => until.has_come(now),
            Learning::Begun | Learning::Asked(_) => false,
        }
    }
}

/// `show peers`: the section, its members and tables.
#[must_use]
pub fn show(section: &Section, tables: &[Table], now: Tick) -> String {
    let mut out = String::new();
    let address = std::ptr::from_ref(section);
    let complete = section.is_complete(now);
    let standing = section.standing();
    let _ = writeln!(
        out,
        "{address:p}: id={} disabled=0 flags=0x{:x} resync_timeout=<PAST> task_calls=0",
        section.name,
        u32::from(complete)
    );
    for (at, (member, progress)) in section.members.iter().zip(&standing.members).enumerate() {
        show_member(member, at == section.local, progress, &mut out);
        if progress.connected {
            show_tables(section, &progress.acked, tables, &mut out);
        }
    }
    out
}

fn show_member(member: &Member, is_local: bool, progress: &Progress, out: &mut String) {
    let side = if is_local { "local" } else { "remote" };
    let (state, ago) = match progress.connected {
        true => ("active", "0s"),
        false => ("inactive", "<NEVER>"),
    };
    let place = member.address.as_ref().map(ToString::to_string);
    let _ = writeln!(
        out,
        "  {:p}: id={}({side},{state}) addr={} last_status={} last_hdshk={ago} reconnect=<NEVER> \
         heartbeat=<NEVER> confirm=0 tx_hbt=0 rx_hbt=0 no_hbt=0 new_conn={} proto_err=0 coll=0",
        std::ptr::from_ref(member),
        member.name,
        place.as_deref().unwrap_or("-"),
        progress.status,
        progress.sessions,
    );
    let _ = writeln!(out, "        flags=0x0");
}

/// The tables shared with a member, and how much of each it has confirmed.
fn show_tables(section: &Section, acked: &[u32], tables: &[Table], out: &mut String) {
    let _ = writeln!(out, "        shared tables:");
    for ((number, shared), acked) in (1..).zip(&section.tables).zip(acked) {
        let Some(table) = tables.get(shared.table.index()) else {
            continue;
        };
        let news = table.last_news();
        let _ = writeln!(
            out,
            "          {:p} local_id={number} remote_id={number} flags=0x0 remote_data=0x0\n              \
             last_acked={acked} last_pushed={acked} last_get=0 teaching_origin=0 update={news}\n              \
             table:{:p} id={} update={news} localupdate={news} refcnt=1",
            std::ptr::from_ref(shared),
            std::ptr::from_ref(table),
            shared.name,
        );
    }
}
