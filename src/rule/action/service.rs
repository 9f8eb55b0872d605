//! Actions that let somebody else answer: inner services and caches.

use std::sync::Arc;

use crate::lang::Diag;

use super::super::flow::{Flow, Verdict};
use super::super::phase::{Phase, Phases};
use super::super::scene::Scene;
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
        usage: "<cache>",
        doc: "Answers from a cache if it can.",
        parse: |args| Ok(Box::new(CacheUse(name(args)?))),
    },
    Row {
        name: "cache-store",
        arguments: false,
        phases: Phase::Response.only(),
        usage: "<cache>",
        doc: "Keeps the response in a cache.",
        parse: |args| Ok(Box::new(CacheStore(name(args)?))),
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

fn name(args: &mut Args<'_>) -> Result<Arc<str>, Diag> {
    Ok(args.one("a cache name")?.text()?.into())
}

#[derive(Debug)]
struct CacheUse(Arc<str>);

impl Action for CacheUse {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        match scene.world.is_cached(&self.0) {
            true => Flow::Verdict(Verdict::Cached(Arc::clone(&self.0))),
            false => Flow::Continue,
        }
    }

    fn needs(&self) -> Needs<'_> {
        Needs::Cache(&self.0)
    }
}

#[derive(Debug)]
struct CacheStore(Arc<str>);

impl Action for CacheStore {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        scene.wishes.cache_store = Some(Arc::clone(&self.0));
        Flow::Continue
    }

    fn needs(&self) -> Needs<'_> {
        Needs::Cache(&self.0)
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
        assert!(Rig::wrong("http-request use-service foo").contains("'foo' unknown service name."));
    }
}
