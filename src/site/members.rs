//! The servers of one backend: those of the configuration, and those that operators added and took away.
//!
//! A server keeps its rank for as long as the process runs, so that balancing can speak of ranks; one that was taken away keeps
//! it too, but nobody who looks through the members finds it.

use std::ops::Index;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::id::ServerId;
use crate::roster::{Full, Roster};

/// The members of a backend.
#[derive(Debug, Default)]
pub struct Members(Roster<Member>);

#[derive(Debug)]
struct Member {
    id: ServerId,
    gone: AtomicBool,
}

impl Member {
    fn new(id: ServerId) -> Self {
        Self {
            id,
            gone: AtomicBool::new(false),
        }
    }
}

impl From<Vec<ServerId>> for Members {
    fn from(ids: Vec<ServerId>) -> Self {
        let members: Vec<Member> = ids.into_iter().map(Member::new).collect();
        Self(members.into())
    }
}

impl Members {
    /// Those that are there, in order.
    pub fn iter(&self) -> impl Iterator<Item = &ServerId> {
        let there = self.0.iter().filter(|member| !member.gone.load(Relaxed));
        there.map(|member| &member.id)
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// How many ranks have been given.
    pub fn ranks(&self) -> usize {
        self.0.len()
    }

    /// The rank of a server, whether it is there or gone.
    pub fn rank(&self, id: ServerId) -> Option<usize> {
        // The servers of the configuration are numbered in one run.
        let run = self
            .0
            .first()
            .and_then(|first| id.index().checked_sub(first.id.index()));
        let is_it = |rank: &usize| self.0.get(*rank).is_some_and(|member| member.id == id);
        run.filter(is_it)
            .or_else(|| self.0.iter().position(|member| member.id == id))
    }

    /// Takes a server in.
    ///
    /// # Errors
    /// There is no rank left.
    pub fn join(&self, id: ServerId) -> Result<usize, Full> {
        self.0.add(|_| Member::new(id))
    }

    /// Lets a server go.
    pub fn leave(&self, id: ServerId) {
        if let Some(rank) = self.rank(id) {
            self.0[rank].gone.store(true, Relaxed);
        }
    }
}

impl Index<usize> for Members {
    type Output = ServerId;

    fn index(&self, rank: usize) -> &ServerId {
        &self.0[rank].id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_outlive_members() {
        let id = ServerId::at;
        let members = Members::from(vec![id(3), id(4)]);
        assert_eq!(members.join(id(9)), Ok(2));
        assert_eq!(members.join(id(7)), Ok(3));
        members.leave(id(9));
        members.leave(id(3));
        assert!(members.iter().eq(&[id(4), id(7)]));
        assert_eq!(members.ranks(), 4);
        assert_eq!((members[2], members.rank(id(7))), (id(9), Some(3)));
        assert_eq!(members.rank(id(5)), None);
        assert_eq!(Members::default().rank(id(0)), None);
    }
}
