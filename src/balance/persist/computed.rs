//! Values of cookies that nobody wrote: computed from a secret and the server's address (`dynamic`).

use std::sync::Arc;

use crate::codec::hash::xxh64;

/// How servers come by values that were given none: operators may switch that, and change what it is done with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Computed {
    /// Whether values are computed.
    pub on: bool,
    /// `dynamic-cookie-key`; without it none can be.
    pub secret: Option<Arc<str>>,
}

impl Computed {
    /// What values are computed with, if they are.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        self.secret.as_deref().filter(|_| self.on)
    }
}

/// The value that stands for a server where values are computed: from the secret, its address and its port.
#[must_use]
pub fn dynamic_value(secret: &str, octets: &[u8], port: u16) -> String {
    let port = u32::from(port).to_be_bytes();
    let text = [secret.as_bytes(), octets, &port].concat();
    format!("{:016x}", xxh64(&text, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_haproxys() {
        // Observed on haproxy 2.6.12.
        let value = dynamic_value("sekret", &[127, 0, 0, 1], 18_101);
        assert_eq!(value, "6a34b091c1394a25");
    }

    #[test]
    fn a_secret_counts_where_values_are_computed() {
        let mut computed = Computed {
            on: false,
            secret: Some("s".into()),
        };
        assert_eq!(computed.secret(), None);
        computed.on = true;
        assert_eq!(computed.secret(), Some("s"));
    }
}
