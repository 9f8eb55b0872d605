//! What a request for metrics chose to see.

use crate::stats::snapshot::Kind;

/// What a request chose to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The process.
    pub global: bool,
    /// Frontends.
    pub frontend: bool,
    /// Backends.
    pub backend: bool,
    /// Servers.
    pub server: bool,
    /// Listeners.
    pub listener: bool,
    /// Stick tables.
    pub tables: bool,
    /// Nameservers.
    pub resolvers: bool,
    /// Leave out servers in maintenance.
    pub no_maintenance: bool,
    /// `metrics=`: these alone; all where none is named.
    only: Vec<String>,
    /// `metrics=-…`: not these.
    except: Vec<String>,
}

impl Scope {
    pub(super) const ALL: Self = Self {
        global: true,
        frontend: true,
        backend: true,
        server: true,
        listener: true,
        tables: true,
        resolvers: true,
        no_maintenance: false,
        only: Vec::new(),
        except: Vec::new(),
    };
    const NOTHING: Self = Self {
        global: false,
        frontend: false,
        backend: false,
        server: false,
        listener: false,
        tables: false,
        resolvers: false,
        no_maintenance: false,
        only: Vec::new(),
        except: Vec::new(),
    };

    /// Reads the query string: `scope=…` and `metrics=…` any number of times, `no-maint`. None: a scope is unknown.
    #[must_use]
    pub fn read(query: &str) -> Option<Self> {
        let mut scope = Self::ALL;
        let mut chosen = false;
        for parameter in query.split('&') {
            match parameter.split_once('=') {
                None if parameter == "no-maint" => scope.no_maintenance = true,
                None if matches!(parameter, "scope" | "metrics") => return None,
                Some(("metrics", names)) => scope.filter(names),
                Some(("scope", name)) => {
                    if !std::mem::replace(&mut chosen, true) {
                        scope.set_all(false);
                    }
                    scope.choose(name)?;
                }
                None | Some(_) => {}
            }
        }
        Some(scope)
    }

    /// Adds what a name stands for; an empty one takes back all that was chosen before.
    fn choose(&mut self, name: &str) -> Option<()> {
        match name {
            "global" => self.global = true,
            "frontend" => self.frontend = true,
            "backend" => self.backend = true,
            "server" => self.server = true,
            "listener" => self.listener = true,
            "sticktable" => self.tables = true,
            "resolver" => self.resolvers = true,
            "*" => self.set_all(true),
            "" => self.set_all(false),
            _ => return None,
        }
        Some(())
    }

    fn set_all(&mut self, on: bool) {
        let kept = std::mem::replace(self, if on { Self::ALL } else { Self::NOTHING });
        self.no_maintenance = kept.no_maintenance;
        self.only = kept.only;
        self.except = kept.except;
    }

    fn filter(&mut self, names: &str) {
        for name in names.split(',').filter(|name| !name.is_empty()) {
            match name.strip_prefix('-') {
                Some(name) => self.except.push(name.to_owned()),
                None => self.only.push(name.to_owned()),
            }
        }
    }

    /// Whether a metric is shown.
    pub(super) fn takes(&self, name: &str) -> bool {
        let is = |other: &String| other == name;
        (self.only.is_empty() || self.only.iter().any(is)) && !self.except.iter().any(is)
    }

    pub(super) fn shows(&self, kind: Kind) -> bool {
        match kind {
            Kind::Frontend => self.frontend,
            Kind::Backend => self.backend,
            Kind::Server => self.server,
            Kind::Listener => self.listener,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::text;
    use super::*;

    #[test]
    fn a_scope_chooses() {
        let read = |query| Scope::read(query);
        let fronts = read("scope=frontend").expect("known");
        assert!(fronts.frontend && !fronts.global && !fronts.server);
        assert!(!text(&fronts).contains("haproxy_process"));
        assert_eq!(read("scope=*"), Some(Scope::ALL));
        assert_eq!(read(""), Some(Scope::ALL));
        assert_eq!(read("scope=nothing"), None);
        for nothing in ["scope=", "scope=*&scope="] {
            let none = read(nothing).expect("empty");
            assert_eq!(text(&none), "");
        }
        assert_eq!(read("scope"), None);
        let names = text(&read("scope=resolver").expect("known"));
        let line = "haproxy_resolver_sent{resolver=\"default\",nameserver=\"ns\"} 4";
        assert!(names.lines().any(|l| l == line), "{names}");
    }

    #[test]
    fn metrics_are_chosen_by_name() {
        let read = |query| Scope::read(query).expect("known");
        let one = text(&read("metrics=haproxy_process_nbthread"));
        assert_eq!(one.lines().count(), 3, "{one}");
        let but = text(&read("scope=global&metrics=-haproxy_process_nbthread"));
        assert!(but.contains("haproxy_process_uptime") && !but.contains("nbthread"));
    }
}
