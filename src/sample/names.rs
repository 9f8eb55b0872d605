//! Names that become identities once the whole configuration is known.

use crate::id::{BackendId, FrontendId, ServerId, TableId};
use crate::lang::{Diag, Shape, Span};

use super::arg::{Arg, Name};

/// What the configuration answers about names, seen from one proxy.
pub trait Names {
    /// The name of the proxy in which the expression stands.
    fn proxy(&self) -> &str;
    /// The frontend of this name.
    fn frontend(&self, name: &str) -> Option<FrontendId>;
    /// The backend of this name.
    fn backend(&self, name: &str) -> Option<BackendId>;
    /// The server of this name in a backend.
    fn server(&self, backend: BackendId, name: &str) -> Option<ServerId>;
    /// The table of this name: a proxy's, or of a peers section.
    fn table(&self, name: &str) -> Option<TableId>;
    /// Whether there is a cache of this name.
    fn has_cache(&self, _name: &str) -> bool {
        false
    }
    /// Whether the bandwidth limit of this name is shared by all with the same key; none: the proxy has no such filter.
    fn bandwidth(&self, _name: &str) -> Option<bool> {
        None
    }
    /// Whether there is a log profile of this name.
    fn has_log_profile(&self, _name: &str) -> bool {
        false
    }
    /// Whether there is a user list of this name.
    fn has_users(&self, name: &str) -> bool;
}

/// Whom the sentence about an unknown name blames.
pub(crate) struct Owner<'a> {
    /// `ACL keyword 'nbsrv'`, `conversion keyword 'in_table' for …`: asked only when there is somebody to blame.
    pub(crate) what: &'a dyn Fn() -> String,
    /// Where it stands.
    pub(crate) span: Span,
}

/// Closes every name in `args`.
pub(crate) fn settle(args: &[Arg], names: &dyn Names, owner: &Owner<'_>) -> Result<(), Diag> {
    for (index, arg) in args.iter().enumerate() {
        let outcome = match arg {
            Arg::Frontend(name) => frontend(name, names),
            Arg::Backend(name) => backend(name, names),
            Arg::Server(name) => server(name, names),
            Arg::Table(name) => {
                let text = or_proxy(&name.text, names);
                close(name, names.table(text))
                    .ok_or_else(|| format!("unable to find table '{text}'%"))
            }
            Arg::Users(name) if !names.has_users(name) => {
                Err(format!("unable to find userlist '{name}'%"))
            }
            _ => Ok(()),
        };
        outcome.map_err(|sentence| {
            let place = format!(
                " referenced in arg {} of {} in proxy '{}'",
                index + 1,
                (owner.what)(),
                names.proxy()
            );
            Diag::alert(owner.span, sentence.replacen('%', &place, 1) + ".")
                .with_shape(Shape::Lexing)
        })?;
    }
    Ok(())
}

fn or_proxy<'a>(text: &'a str, names: &'a dyn Names) -> &'a str {
    if text.is_empty() { names.proxy() } else { text }
}

fn close<I: Copy>(name: &Name<I>, id: Option<I>) -> Option<()> {
    name.settle(id?);
    Some(())
}

fn frontend(name: &Name<FrontendId>, names: &dyn Names) -> Result<(), String> {
    let text = or_proxy(&name.text, names);
    close(name, names.frontend(text)).ok_or_else(|| match names.backend(text) {
        Some(_) => format!("proxy '{text}',%, has not frontend capability"),
        None => format!("unable to find frontend '{text}'%"),
    })
}

fn backend(name: &Name<BackendId>, names: &dyn Names) -> Result<(), String> {
    let text = or_proxy(&name.text, names);
    close(name, names.backend(text)).ok_or_else(|| match names.frontend(text) {
        Some(_) => format!("proxy '{text}',%, has not backend capability"),
        None => format!("unable to find backend '{text}'%"),
    })
}

fn server(name: &Name<ServerId>, names: &dyn Names) -> Result<(), String> {
    let (proxy, server) = match name.text.rsplit_once('/') {
        Some((proxy, server)) => (proxy, server),
        None => (names.proxy(), name.text.as_str()),
    };
    let in_proxy = || format!("unable to find server '{server}' in proxy '{proxy}',%");
    let Some(backend) = names.backend(proxy) else {
        return Err(if name.text.contains('/') {
            format!("unable to find proxy '{proxy}'%")
        } else {
            in_proxy()
        });
    };
    close(name, names.server(backend, server)).ok_or_else(in_proxy)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One;

    impl Names for One {
        fn proxy(&self) -> &str {
            "f"
        }
        fn frontend(&self, name: &str) -> Option<FrontendId> {
            (name == "f").then(|| FrontendId::new(0))
        }
        fn backend(&self, name: &str) -> Option<BackendId> {
            (name == "be").then(|| BackendId::new(3))
        }
        fn server(&self, _: BackendId, name: &str) -> Option<ServerId> {
            (name == "s1").then(|| ServerId::new(7))
        }
        fn table(&self, name: &str) -> Option<TableId> {
            (name == "t").then(|| TableId::new(1))
        }
        fn has_users(&self, _: &str) -> bool {
            false
        }
    }

    fn outcome(arg: Arg) -> Result<(), String> {
        let owner = Owner {
            what: &|| "ACL keyword 'k'".to_string(),
            span: Span::default(),
        };
        settle(&[arg], &One, &owner).map_err(|diag| diag.message)
    }

    #[test]
    fn names_close_or_say_why() {
        let name = Name::new("be");
        assert_eq!(outcome(Arg::Backend(name)), Ok(()));
        assert_eq!(
            outcome(Arg::Backend(Name::new(""))).expect_err("a frontend"),
            "proxy 'f', referenced in arg 1 of ACL keyword 'k' in proxy 'f', has not backend capability."
        );
        assert_eq!(
            outcome(Arg::Table(Name::new("no"))).expect_err("none"),
            "unable to find table 'no' referenced in arg 1 of ACL keyword 'k' in proxy 'f'."
        );
        assert_eq!(
            outcome(Arg::Server(Name::new("f/x"))).expect_err("none"),
            "unable to find proxy 'f' referenced in arg 1 of ACL keyword 'k' in proxy 'f'."
        );
        assert_eq!(
            outcome(Arg::Server(Name::new("be/x"))).expect_err("none"),
            "unable to find server 'x' in proxy 'be', referenced in arg 1 of ACL keyword 'k' in proxy 'f'."
        );
        assert_eq!(outcome(Arg::Server(Name::new("be/s1"))), Ok(()));
    }
}
