//! The ways from a frontend to a backend, and what stands in them.

use crate::config::draft::ProxyDraft;
use crate::config::report::Report;
use crate::lang::{Diag, Shape, Span, suggest_name};
use crate::site::Mode;

/// How a frontend comes to name a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// `default_backend`
    Default,
    /// `use_backend`
    Rule,
}

impl Way {
    fn in_words(self) -> &'static str {
        match self {
            Way::Default => "as its default backend",
            Way::Rule => "in a 'use_backend' rule",
        }
    }
}

/// An HTTP frontend cannot hand its requests to a TCP backend, though the other way round is possible; a log backend takes none.
/// The target comes as its mode, keyword and name.
pub(super) fn check(
    proxy: &ProxyDraft,
    (mode, kind, target): (Mode, &str, &str),
    (way, span): (Way, Span),
    report: &mut Report,
) {
    let (keyword, own, how) = (proxy.keyword(), &proxy.name, way.in_words());
    let text = match (proxy.mode, mode) {
        (_, Mode::Log) => {
            format!("{keyword} '{own}' tries to use log backend '{target}' {how} (see 'mode').")
        }
        (Mode::Http, Mode::Tcp) => format!(
            "http {keyword} '{own}' tries to use incompatible tcp {kind} '{target}' {how} (see 'mode')."
        ),
        _ => return,
    };
    let fault = Diag::alert(span, text).with_shape(Shape::Plain);
    report.add(match mode == Mode::Tcp {
        true => fault.with_fix(format!("mode http in {kind} '{target}'")),
        false => fault,
    });
}

/// Nobody has this name; `known` are those there are.
pub(super) fn missing<'k>(
    proxy: &ProxyDraft,
    name: &str,
    (way, span): (Way, Span),
    known: impl IntoIterator<Item = &'k str>,
) -> Diag {
    let near = suggest_name(name, known);
    let (keyword, fix) = match way {
        Way::Default => (
            "default_backend",
            near.map(|near| format!("default_backend {near}")),
        ),
        Way::Rule => ("use_backend", near.map(str::to_owned)),
    };
    let own = &proxy.name;
    let text = format!("Proxy '{own}': unable to find required {keyword}: '{name}'.");
    Diag::alert(span, text)
        .with_shape(Shape::Plain)
        .with_reason("no 'backend' or 'listen' section has this name")
        .with_fix_from(fix.as_deref())
}
