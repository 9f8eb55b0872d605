//! The versions of a reference: the one in force, and those that are filled until one of them is committed.
//!
//! They work as in HAProxy: `prepare` names a version to fill, `commit` makes it the content, and older ones are forgotten.
//! What the version in force holds is not here but in the reference's own lines.

use std::collections::BTreeMap;

use super::fault::EditFault;
use super::lines::Lines;

/// Numbers of versions, and the lines of those that are not in force.
#[derive(Debug, Default)]
pub(super) struct Versions {
    in_force: u32,
    last: u32,
    prepared: BTreeMap<u32, Lines>,
}

/// How many versions may be prepared and uncommitted at a time.
const PREPARED_MAX: usize = 64;

impl Versions {
    /// The version in force and the last one prepared.
    pub(super) fn numbers(&self) -> (u32, u32) {
        (self.in_force, self.last)
    }

    /// The lines of a prepared version; none where the version in force is meant, with its number or without.
    pub(super) fn prepared(&self, version: Option<u32>) -> Result<Option<&Lines>, EditFault> {
        let Some(version) = version.filter(|version| *version != self.in_force) else {
            return Ok(None);
        };
        let lines = self.prepared.get(&version);
        lines.map(Some).ok_or(EditFault::NoVersion)
    }

    /// The same, to be filled.
    pub(super) fn prepared_mut(
        &mut self,
        version: Option<u32>,
    ) -> Result<Option<&mut Lines>, EditFault> {
        let Some(version) = version.filter(|version| *version != self.in_force) else {
            return Ok(None);
        };
        let lines = self.prepared.get_mut(&version);
        lines.map(Some).ok_or(EditFault::NoVersion)
    }

    /// Begins a version and names it.
    pub(super) fn prepare(&mut self) -> Result<u32, EditFault> {
        if self.prepared.len() >= PREPARED_MAX {
            return Err(EditFault::Unfit(
                "too many versions are prepared".to_string(),
            ));
        }
        self.last = self.last.wrapping_add(1);
        self.prepared.insert(self.last, Lines::default());
        Ok(self.last)
    }

    /// The lines of a version that is to be committed; the one in force cannot be.
    pub(super) fn committable(&self, version: u32) -> Result<&Lines, EditFault> {
        self.prepared.get(&version).ok_or(EditFault::NoVersion)
    }

    /// Notes that a version is in force; it and older ones are forgotten.
    pub(super) fn committed(&mut self, version: u32) {
        self.in_force = version;
        self.prepared.retain(|prepared, _| *prepared > version);
    }
}
