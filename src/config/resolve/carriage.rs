//! What `bind` and `server` lines ask of the kernel, with the network namespaces that they name.

use std::sync::Arc;

use super::Host;
use crate::config::draft::{CarriageDraft, ServerDraft};
use crate::lang::{Diag, Word};
use crate::site::Carriage;

/// What a line asks for.
///
/// # Errors
/// There is no such namespace, or it cannot be opened.
pub(super) fn of(written: &CarriageDraft, host: &dyn Host) -> Result<Carriage, Diag> {
    let open = |word: &Word| {
        host.namespace(word.text()?).map_err(|error| {
            let text = format!("Cannot open namespace '{}'.", word.shown());
            Diag::alert(word.span, text).with_reason(format!("/run/netns: {}", error.kind()))
        })
    };
    Ok(Carriage {
        congestion: written.congestion.as_deref().map(Into::into),
        md5_key: written.md5_key.as_deref().map(Into::into),
        namespace: written.namespace.as_ref().map(open).transpose()?,
    })
}

/// What a `server` line asks for, if anything.
///
/// # Errors
/// As above.
pub(super) fn of_server(
    line: &ServerDraft,
    host: &dyn Host,
) -> Result<Option<Arc<Carriage>>, Diag> {
    let written = line.carriage.as_deref();
    let made = written.map(|written| of(written, host)).transpose()?;
    Ok(made.map(Arc::new))
}
