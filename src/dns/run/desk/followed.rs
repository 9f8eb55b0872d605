//! The table of names: what is known of each, who follows it, who waits for it.
//!
//! Always true: a name that is followed, waited for or asked for is in the table; others may be forgotten when it is full.

use std::sync::Arc;

use super::super::Ticket;
use super::super::resolution::{Resolution, Subject};
use super::super::section::Section;
use super::Desk;
use crate::time::Tick;

/// What makes a name: its section, its text in lower case, what is wanted.
pub(super) type Key = (usize, Arc<str>, Subject);

#[derive(Debug)]
pub(super) struct Followed {
    pub(super) key: Key,
    pub(super) resolution: Resolution,
    /// Groups that follow it, with the target's name where it is not the group's own.
    pub(super) groups: Vec<(usize, Option<String>)>,
    pub(super) waiting: Vec<Ticket>,
    pub(super) on_agenda: Option<Tick>,
    pub(super) asking: bool,
    pub(super) used: Tick,
}

impl Desk {
    /// The place of a name, new or known; `None` if the table is full of names in use.
    pub(super) fn name(
        &mut self,
        section: usize,
        name: &str,
        subject: Subject,
        now: Tick,
    ) -> Option<usize> {
        let key: Key = (
            section,
            name.trim_end_matches('.').to_ascii_lowercase().into(),
            subject,
        );
        self.sections.get(section)?;
        if let Some(id) = self.by_key.get(&key) {
            return Some(*id);
        }
        if self.by_key.len() >= NAMES_MAX {
            self.forget_unused();
        }
        if self.by_key.len() >= NAMES_MAX {
            return None;
        }
        let followed = Followed {
            key: key.clone(),
            resolution: Resolution::new(subject),
            groups: Vec::new(),
            waiting: Vec::new(),
            on_agenda: None,
            asking: false,
            used: now,
        };
        let id = match self.free.pop() {
            Some(id) => {
                self.names[id] = Some(followed);
                id
            }
            None => {
                self.names.push(Some(followed));
                self.names.len() - 1
            }
        };
        self.by_key.insert(key, id);
        Some(id)
    }

    /// Drops the half of the unused names that was used longest ago.
    fn forget_unused(&mut self) {
        let unused = |name: &Followed| {
            name.groups.is_empty()
                && name.waiting.is_empty()
                && !name.asking
                && name.on_agenda.is_none()
        };
        let mut idle: Vec<(Tick, usize)> = Vec::new();
        for (id, name) in self.names.iter().enumerate() {
            idle.extend(
                name.as_ref()
                    .filter(|name| unused(name))
                    .map(|name| (name.used, id)),
            );
        }
        idle.sort_unstable();
        for (_, id) in idle.iter().take(idle.len().div_ceil(2)) {
            if let Some(name) = self.names[*id].take() {
                self.by_key.remove(&name.key);
                self.free.push(*id);
            }
        }
    }

    pub(super) fn followed(&mut self, id: usize) -> &mut Followed {
        self.names[id]
            .as_mut()
            .expect("a name in use is not forgotten")
    }

    pub(super) fn section_of(&self, id: usize) -> &Arc<Section> {
        let name = self.names[id]
            .as_ref()
            .expect("a name in use is not forgotten");
        &self.sections[name.key.0]
    }
}

/// Names in the table, followed or kept.
const NAMES_MAX: usize = 65_536;
