//! Shards: the parts of tables that single members are told of.
//!
//! `shards` says how many parts there are, a member's `shard` which one it gets. Always true: an entry is in one part, by its key and its
//! table's name alone, so that all processes of a section agree about it. What is told, and when, is for the session to say.

use crate::codec::hash;

/// How many parts there are; one is all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shards(u32);

impl Shards {
    /// So many parts.
    #[must_use]
    pub fn of(count: u32) -> Shards {
        Shards(count)
    }

    /// Whether a member with this `shard` is told of an entry. One that there is not stands for all, as 0 does.
    pub(super) fn tell(self, shard: u32, table: &str, key: &[u8]) -> bool {
        if !(1..=self.0).contains(&shard) {
            return true;
        }
        let seed = hash::xxh64(table.as_bytes(), 0);
        hash::xxh64(key, seed) % u64::from(self.0) + 1 == u64::from(shard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_in_one_part() {
        let shards = Shards::of(3);
        let mut seen = [0; 4];
        for key in 0..300_u32 {
            let told = (1..=3).filter(|shard| shards.tell(*shard, "t", &key.to_be_bytes()));
            let told: Vec<u32> = told.collect();
            assert_eq!(told.len(), 1, "{key}");
            seen[told[0] as usize] += 1;
        }
        assert!(seen[1..].iter().all(|count| *count > 70), "{seen:?}");
    }

    #[test]
    fn no_part_is_all() {
        assert!(Shards::of(3).tell(0, "t", b"k") && Shards::of(3).tell(4, "t", b"k"));
        assert!(Shards::default().tell(1, "t", b"k"));
    }
}
