//! Actions that let somebody else answer: inner services and caches.

use std::sync::Arc;

use crate::lang::{Diag, Shape, Span};
use crate::sample::Names;

use super::super::flow::{Flow, Verdict};
use super::super::phase::{Phase, Phases};
use super::super::scene::{self, Cached, Scene};
use super::{Action, Args, Needs, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "use-service",
        arguments: false,
        phases: Phases::REQUEST,
        usage: "<service>",
        doc: "Hands the request to an inner service.",
        parse: service,
    },
    Row {
        name: "cache-use",
        arguments: false,
        phases: Phase::Request.only(),
        usage: "<cache> [ no-early-hints ]",
        doc: "Answers from a cache if it can.",
        parse: |args| Ok(Box::new(CacheUse::read(args)?)),
    },
    Row {
        name: "cache-store",
        arguments: false,
        phases: Phase::Response.only(),
        usage: "<cache>",
        doc: "Keeps the response in a cache.",
        parse: |args| Ok(Box::new(CacheStore(CacheName::read(args)?))),
    },
];

/// The inner services a rule can name.
const SERVICES: &[&str] = &["prometheus-exporter"];

#[derive(Debug)]
struct UseService(Arc<str>);

fn service(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    let word = args.one("the service name")?;
    let name = word.str();
    if name.starts_with("lua.") {
        let message = format!("'{name}' is a Lua service, which is not supported by sluice");
        return Err(args.fail(message));
    }
    if !SERVICES.contains(&name) {
        return Err(args.fail(format!("'{}' unknown service name.", word.shown())));
    }
    Ok(Box::new(UseService(name.into())))
}

impl Action for UseService {
    fn run(&self, _: &mut Scene<'_>) -> Flow {
        Flow::Verdict(Verdict::Service(Arc::clone(&self.0)))
    }

    fn needs(&self) -> Needs<'_> {
        Needs::Service(&self.0)
    }
}

#[derive(Debug)]
struct CacheUse {
    cache: CacheName,
    hints: bool,
}

impl CacheUse {
    fn read(args: &mut Args<'_>) -> Result<CacheUse, Diag> {
        let cache = CacheName::read(args)?;
        let hints = !args.cur.take("no-early-hints");
        Ok(CacheUse { cache, hints })
    }
}

impl Action for CacheUse {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let Some(request) = scene.request.as_deref() else {
            return Flow::Continue;
        };
        let wanted = scene::CacheUse {
            name: &self.cache.name,
            hints: self.hints,
        };
        match scene.world.cached(&wanted, request) {
            Cached::Nothing => Flow::Continue,
            Cached::Answer => Flow::Verdict(Verdict::Cached(Arc::clone(&self.cache.name))),
            Cached::Hints(hints) => {
                let fields = hints
                    .into_iter()
                    .map(|line| (b"link".to_vec(), line.into_vec()));
                scene.wishes.early_hints.extend(fields);
                Flow::Continue
            }
        }
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.cache.resolve(names)
    }

    fn needs(&self) -> Needs<'_> {
        Needs::Cache(&self.cache.name)
    }
}

#[derive(Debug)]
struct CacheStore(CacheName);

impl Action for CacheStore {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        if let Some(response) = scene.response.as_deref() {
            scene.world.keep(&self.0.name, response);
        }
        Flow::Continue
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.0.resolve(names)
    }

    fn needs(&self) -> Needs<'_> {
        Needs::Cache(&self.0.name)
    }
}

/// The cache that a rule names.
#[derive(Debug)]
struct CacheName {
    name: Arc<str>,
    span: Span,
}

impl CacheName {
    fn read(args: &mut Args<'_>) -> Result<CacheName, Diag> {
        let word = args.one("a cache name")?;
        Ok(CacheName {
            name: word.text()?.into(),
            span: word.span,
        })
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        if names.has_cache(&self.name) {
            return Ok(());
        }
        let text = format!(
            "config: proxy '{}': unable to find the cache '{}' referenced by the filter 'cache'.",
            names.proxy(),
            self.name
        );
        Err(Diag::alert(self.span, text).with_shape(Shape::Plain))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::flow::{Flow, Verdict};
    use super::super::super::rig::Rig;

    #[test]
    fn services_and_caches() {
        let mut rig = Rig::request("GET / HTTP/1.1\nHost: h");
        let flow = rig.run("http-request use-service prometheus-exporter");
        assert!(
            matches!(flow, Flow::Verdict(Verdict::Service(name)) if &*name == "prometheus-exporter")
        );
        assert!(matches!(
            rig.run("http-request cache-use c"),
            Flow::Continue
        ));
        rig.world.cached = true;
        assert!(matches!(
            rig.run("http-request cache-use c"),
            Flow::Verdict(Verdict::Cached(_))
        ));
        let mut rig = Rig::response("HTTP/1.1 200 OK");
        assert!(matches!(
            rig.run("http-response cache-store c"),
            Flow::Continue
        ));
        assert_eq!(rig.world.kept, ["c"]);
        assert!(Rig::wrong("http-request use-service foo").contains("'foo' unknown service name."));
    }
}
