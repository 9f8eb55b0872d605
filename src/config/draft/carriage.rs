//! How the kernel is to carry connections, as `bind` and `server` lines say it.

use crate::lang::Word;

/// What a line says of it.
#[derive(Debug, Clone, Default)]
pub struct CarriageDraft {
    /// `cc`
    pub congestion: Option<String>,
    /// `tcp-md5sig`
    pub md5_key: Option<Vec<u8>>,
    /// `namespace`
    pub namespace: Option<Word>,
}
