//! How a hashed key finds its server: `hash-type` and `hash-balance-factor`.

use super::Draft;
use crate::balance::hash::{HashFn, HashType};
use crate::lang::{Cursor, Diag, Word};

pub(super) fn hash_type(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let methods = [("consistent", true), ("map-based", false)];
    let method = cur.next().map_or("", Word::str);
    let Some(&(_, consistent)) = methods.iter().find(|(name, _)| *name == method) else {
        return Err(cur
            .alert("'hash-type' only supports 'consistent' and 'map-based'.")
            .suggesting(crate::lang::suggest(method, methods.map(|(name, _)| name))));
    };
    let Some(word) = cur.next() else {
        // The ring has always stirred its numbers where nothing else was asked for.
        draft.hash = HashType {
            consistent,
            function: HashFn::Sdbm,
            avalanche: consistent,
        };
        return Ok(());
    };
    let Ok(function) = word.str().parse::<HashFn>() else {
        let names = ["sdbm", "djb2", "crc32", "wt6", "none"];
        return Err(cur
            .alert("'hash-type' only supports 'sdbm', 'djb2', 'crc32', or 'wt6' hash functions.")
            .suggesting(crate::lang::suggest(word.str(), names)));
    };
    let avalanche = cur.take("avalanche");
    if !avalanche && !cur.is_empty() {
        cur.next();
        return Err(cur
            .alert("'hash-type' only supports 'avalanche' as a modifier for hash functions.")
            .with_fix("avalanche"));
    }
    draft.hash = HashType {
        consistent,
        function,
        avalanche,
    };
    cur.end()
}

pub(super) fn hash_balance_factor(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let factor = cur.integer(0..=u32::MAX)?;
    if factor != 0 && factor <= 100 {
        return Err(cur.alert("'hash-balance-factor' must be 0 or greater than 100."));
    }
    draft.balance_factor = Some(factor);
    cur.end()
}

#[cfg(test)]
mod tests {
    use super::super::KEYWORDS;
    use super::super::tests::{read, refused};

    #[test]
    fn the_ring_is_stirred_unless_a_function_is_named() {
        let hash = |line: &str| read(KEYWORDS, line).expect(line).0.hash;
        assert!(hash("hash-type consistent").avalanche);
        assert!(!hash("hash-type map-based").avalanche);
        assert!(!hash("hash-type consistent wt6").avalanche);
        assert!(hash("hash-type map-based djb2 avalanche").avalanche);
    }

    #[test]
    fn a_factor_below_the_average_is_refused() {
        assert_eq!(
            refused("hash-balance-factor 50"),
            "'hash-balance-factor' must be 0 or greater than 100."
        );
    }
}
