//! Who may inherit the rules of a `defaults` section.
//!
//! Rules are written for one side of a proxy. A named section that holds some can therefore be the base of frontends or of
//! backends, never of both, nor of a `listen`, which is both, nor of another `defaults`; and rules that exist on one
//! side only tie it to that side. The header line of each heir is judged here, when it is read.

use crate::lang::{Diag, Sections, Span};
use crate::rule::Phase;

use super::draft::{Heirs, ProxyDraft};

/// Notes that a section of this `kind` takes `base` for its own.
///
/// # Errors
/// The rules of `base` cannot be inherited there.
pub(crate) fn enter(base: &mut ProxyDraft, kind: Sections, span: Span) -> Result<(), Diag> {
    let front = kind.meets(Sections::FRONTEND);
    let back = kind.meets(Sections::BACKEND);
    let both = |heirs: Heirs| heirs.front && heirs.back;
    let before = base.heirs;
    base.heirs = Heirs {
        front: before.front || front,
        back: before.back || back,
    };
    if !base.rule.has_rules() {
        return Ok(());
    }
    let why = if kind == Sections::DEFAULTS {
        "another 'defaults' section"
    } else if front && back {
        "a 'listen' section"
    } else if both(base.heirs) && !both(before) {
        "frontends and backends at once"
    } else if back && is_ruled(base, &FRONT_ONLY) {
        "a backend, which accepts no connections"
    } else if front && is_ruled(base, &BACK_ONLY) {
        "a frontend, which sees no bytes of servers"
    } else {
        return Ok(());
    };
    let (name, line) = (&base.name, base.span.line);
    Err(Diag::alert(
        span,
        format!("the rules of 'defaults {name}' (line {line}) cannot be inherited by {why}."),
    )
    .with_fix("two named 'defaults' sections, one with the rules of frontends and one with those of backends"))
}

fn is_ruled(base: &ProxyDraft, phases: &[Phase]) -> bool {
    phases
        .iter()
        .any(|phase| !base.rule.phase(*phase).is_empty())
}

const FRONT_ONLY: [Phase; 2] = [Phase::Connection, Phase::Session];
const BACK_ONLY: [Phase; 1] = [Phase::ResponseContent];

#[cfg(test)]
mod tests {
    use crate::config::rig::alerts_of;

    const REQUEST: &str = "defaults r\n http-request set-header a b\n";

    #[test]
    fn rules_go_to_one_side() {
        let two = "frontend f from r\n mode http\nfrontend g from r\n mode http\n";
        assert_eq!(alerts_of(&format!("{REQUEST}{two}")), Vec::<String>::new());
        for heirs in [
            "defaults s from r\n",
            "listen l from r\n mode http\n",
            "frontend f from r\n mode http\nbackend b from r\n mode http\n",
        ] {
            let alerts = alerts_of(&format!("{REQUEST}{heirs}"));
            assert!(
                alerts[0].contains("the rules of 'defaults r'"),
                "{alerts:?}"
            );
        }
    }

    #[test]
    fn rules_of_one_side_stay_there() {
        for (rule, heir) in [
            ("tcp-request connection accept", "backend b"),
            ("tcp-request session accept", "backend b"),
            ("tcp-response content accept", "frontend f"),
        ] {
            let alerts = alerts_of(&format!("defaults r\n {rule}\n{heir} from r\n"));
            assert!(alerts[0].contains("cannot be inherited"), "{alerts:?}");
        }
        let fits = "defaults r\n tcp-response content accept\nbackend b from r\n";
        assert_eq!(alerts_of(fits), Vec::<String>::new());
    }

    #[test]
    fn names_that_each_heir_has_of_its_own_are_not_for_rules_that_are_shared() {
        let heir =
            "backend b from r\n stick-table type ip size 1k store gpc0\n server www 127.0.0.1:1\n";
        for rule in [
            "http-request set-header x %[srv_conn(www)]",
            "http-request track-sc0 src",
        ] {
            let alerts = alerts_of(&format!("defaults r\n mode http\n {rule}\n{heir}"));
            let blamed = alerts[0].to_lowercase().contains("proxy 'r'");
            assert!(blamed, "{alerts:?}");
        }
        let named = "http-request track-sc0 src table b\n http-request set-header x %[srv_conn(b/www)]%[be_conn]";
        assert_eq!(
            alerts_of(&format!("defaults r\n mode http\n {named}\n{heir}")),
            Vec::<String>::new()
        );
    }
}
