//! X.509: certificates and revocation lists (RFC 5280), read from their DER.
//!
//! The bytes come from peers and from files. `tls` judges what is read here, `show ssl` and the sample fetches tell of it, in
//! the words of [`name`] and [`oid`].
//!
//! Always true: reading checks form only and copies nothing, and bytes of any kind are at worst no certificate.
//! Nothing is verified here.

mod certificate;
pub mod der;
pub mod name;
pub mod oid;
mod revocation;
mod signed;

pub use certificate::Certificate;
pub use revocation::RevocationList;
pub use signed::Signed;
