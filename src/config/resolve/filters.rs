//! The order of a section's filters: what is compressed cannot be kept for clients that take it as it is.
//!
//! A cache stands before compression. Those that rules name without a `filter cache` line are attached behind the
//! lines that there are, and so is compression without a line of its own; where other filters are, the place of either
//! has to be written. Only the draft is looked at: whether the caches are there is asked elsewhere.

use std::sync::Arc;

use crate::config::draft::ProxyDraft;
use crate::config::report::Report;
use crate::filter::Listed;
use crate::lang::{Diag, Shape, Span};
use crate::rule::{Phase, Written};

/// Refuses filters in an order that HAProxy refuses, and those that are attached twice.
pub(super) fn check(proxy: &ProxyDraft, report: &mut Report) {
    let attached = &proxy.filter.attached;
    if attached.is_empty() {
        return;
    }
    twice(proxy, report);
    let found = |what: &Listed| attached.iter().position(|(one, _)| one == what);
    let compression = found(&Listed::Compression);
    let other = found(&Listed::Other);
    let mut refuse = |span: Span, text: String, fix: String| {
        let text = format!("config: proxy '{}': {text}", proxy.name);
        let diag = Diag::alert(span, text).with_shape(Shape::Plain);
        report.add(diag.with_fix(fix));
    };
    if let (None, Some(at), Some(_)) = (compression, other, &proxy.filter.compression) {
        let text = "require an explicit filter declaration to use HTTP compression".to_owned();
        let fix = "filter compression, where it belongs among the filters".to_owned();
        refuse(attached[at].1, text, fix);
    }
    for (name, span) in named(proxy) {
        let own = found(&Listed::Cache(Arc::clone(&name)));
        if let (None, Some(_)) = (own, other) {
            let text = format!("require an explicit filter declaration to use the cache '{name}'.");
            let fix = format!("filter cache {name}, where it belongs among the filters");
            refuse(span, text, fix);
        }
        let Some(first) = compression.filter(|at| own.is_none_or(|own| *at < own)) else {
            continue;
        };
        let text = format!("unable to enable the compression filter before the cache '{name}'.");
        let span = attached[first].1;
        let fix = format!("filter cache {name}, above line {}", span.line);
        refuse(span, text, fix);
    }
}

/// Lines that attach what is attached.
fn twice(proxy: &ProxyDraft, report: &mut Report) {
    let attached = &proxy.filter.attached;
    for (at, (what, span)) in attached.iter().enumerate() {
        let said = match what {
            Listed::Compression => "Proxy supports only one compression filter".to_owned(),
            Listed::Cache(name) => {
                format!("multiple explicit declarations of the cache filter '{name}'")
            }
            Listed::Other => continue,
        };
        if attached[..at].iter().any(|(before, _)| before == what) {
            let text = format!("'filter' : '{}: {said}'", proxy.name);
            report.add(Diag::alert(*span, text));
        }
    }
}

/// The caches that lines and rules name, each once, and where.
fn named(proxy: &ProxyDraft) -> Vec<(Arc<str>, Span)> {
    let lines = proxy.filter.attached.iter();
    let mut named: Vec<(Arc<str>, Span)> = lines
        .filter_map(|(what, span)| match what {
            Listed::Cache(name) => Some((Arc::clone(name), *span)),
            Listed::Compression | Listed::Other => None,
        })
        .collect();
    let uses = [
        (Phase::Request, "cache-use"),
        (Phase::Response, "cache-store"),
    ];
    for (phase, action) in uses {
        let of_caches = |line: &&Written| line.words.first().is_some_and(|word| word.is(action));
        let rules = proxy.rule.phase(phase).iter().filter(of_caches);
        for word in rules.filter_map(|line| line.words.get(1)) {
            if !named.iter().any(|(name, _)| word.is(name)) {
                named.push((word.str().into(), word.span));
            }
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use crate::config::rig::alerts_of;

    /// What is said about these filters where a rule names the cache `c`.
    fn said(filters: &[&str]) -> Vec<String> {
        let filters: String = filters.iter().map(|line| format!(" {line}\n")).collect();
        alerts_of(&format!(
            "cache c\n total-max-size 4\nlisten l\n mode http\n bind :8080\n{filters} http-request cache-use c\n"
        ))
    }

    #[test]
    fn caches_stand_before_compression() {
        let before =
            ["config: proxy 'l': unable to enable the compression filter before the cache 'c'."];
        assert_eq!(said(&["filter compression", "filter cache c"]), before);
        assert_eq!(
            said(&["compression algo gzip", "filter compression"]),
            before
        );
        assert_eq!(said(&["filter cache c", "filter compression"]), [""; 0]);
        assert_eq!(said(&["compression algo gzip"]), [""; 0]);
        assert_eq!(said(&["filter cache c", "compression algo gzip"]), [""; 0]);
    }

    #[test]
    fn among_other_filters_the_place_is_written() {
        let limit = "filter bwlim-in a default-limit 10 default-period 1s";
        let of = |what: &str| {
            format!("config: proxy 'l': require an explicit filter declaration to use {what}")
        };
        assert_eq!(said(&[limit]), [of("the cache 'c'.")]);
        assert_eq!(
            said(&[limit, "filter cache c", "compression algo gzip"]),
            [of("HTTP compression")]
        );
        assert_eq!(
            said(&["filter cache c", limit, "filter compression"]),
            [""; 0]
        );
    }

    #[test]
    fn nothing_is_attached_twice() {
        let twice = ["'filter' : 'l: multiple explicit declarations of the cache filter 'c''"];
        assert_eq!(said(&["filter cache c", "filter cache c"]), twice);
        let filters = ["filter cache c", "filter compression", "filter compression"];
        let twice = ["'filter' : 'l: Proxy supports only one compression filter'"];
        assert_eq!(said(&filters), twice);
    }
}
