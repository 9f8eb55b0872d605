//! Exact look-ups: a hash table over the keys of a list.

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use super::lines::Lines;

/// The keys of a list by hash; equal keys stand one beside the other.
#[derive(Debug)]
pub(super) struct Exact {
    table: HashTable<u32>,
    fold: bool,
}

/// Keys shorter than this are folded on the stack.
const FOLD_LEN: usize = 128;

impl Exact {
    /// A table over every line; `fold` compares letters in either case.
    pub(super) fn new(lines: &Lines, fold: bool) -> Exact {
        let mut table = HashTable::with_capacity(lines.len());
        let rehash = |row: &u32| hash(lines.key(*row), fold);
        // Equal keys are all kept: the look-up takes the lowest living one.
        for row in lines.indices() {
            table.insert_unique(hash(lines.key(row), fold), row, rehash);
        }
        Exact { table, fold }
    }

    /// The first living line whose key is `key`.
    pub(super) fn find(
        &self,
        lines: &Lines,
        key: &[u8],
        alive: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let same = |row: u32| {
            if self.fold {
                lines.key(row).eq_ignore_ascii_case(key)
            } else {
                lines.key(row) == key
            }
        };
        self.table
            .iter_hash(hash(key, self.fold))
            .copied()
            .filter(|row| same(*row) && alive(*row))
            .min()
    }
}

fn hash(key: &[u8], fold: bool) -> u64 {
    if !fold {
        return xxh3_64(key);
    }
    if key.len() <= FOLD_LEN {
        let mut small = [0u8; FOLD_LEN];
        let small = &mut small[..key.len()];
        small.copy_from_slice(key);
        small.make_ascii_lowercase();
        return xxh3_64(small);
    }
    xxh3_64(&key.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equal_keys_wins() {
        let lines = Lines::of_map(b"a 1\nb 2\na 3\n".to_vec());
        let exact = Exact::new(&lines, false);
        assert_eq!(exact.find(&lines, b"a", |_| true), Some(0));
        assert_eq!(exact.find(&lines, b"a", |row| row != 0), Some(2));
        assert_eq!(exact.find(&lines, b"A", |_| true), None);
    }

    #[test]
    fn case_folds_when_asked() {
        let long = "X".repeat(200);
        let lines = Lines::of_patterns(format!("Host\n{long}\n").into_bytes());
        let exact = Exact::new(&lines, true);
        assert_eq!(exact.find(&lines, b"hOST", |_| true), Some(0));
        assert_eq!(
            exact.find(&lines, long.to_lowercase().as_bytes(), |_| true),
            Some(1)
        );
    }
}
