//! `set-bandwidth-limit`: starts a filter of a `filter bwlim-in` or `bwlim-out` line.

use std::sync::Arc;

use crate::lang::{Diag, Span, quantity};
use crate::sample::{Expr, Names};

use super::super::flow::Flow;
use super::super::scene::{BandwidthWish, Scene};
use super::stream::STREAM;
use super::timeout::Time;
use super::{Action, Args, Needs, Row};

pub(super) const ROWS: &[Row] = &[Row {
    name: "set-bandwidth-limit",
    arguments: false,
    phases: STREAM,
    usage: "<name> [ limit <size> | <expr> ] [ period <time> | <expr> ]",
    doc: "Starts a bandwidth limitation filter.",
    parse: bandwidth,
}];

#[derive(Debug)]
struct Bandwidth {
    proxy: Arc<str>,
    filter: Arc<str>,
    span: Span,
    limit: Option<Size>,
    period: Option<Time>,
}

/// A size that is known, or sampled in bytes.
#[derive(Debug)]
enum Size {
    Fixed(u64),
    Sample(Box<Expr>),
}

fn bandwidth(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    let word = args.one("at least 1 argument")?;
    let mut action = Bandwidth {
        proxy: args.context.proxy.into(),
        span: word.span,
        filter: word.text()?.into(),
        limit: None,
        period: None,
    };
    loop {
        if args.cur.take("limit") {
            action.limit = Some(
                match args.cur.peek().map(|word| quantity::size(&word.bytes)) {
                    Some(Ok(size)) => {
                        args.cur.skip(1);
                        Size::Fixed(u64::from(size))
                    }
                    _ => Size::Sample(Box::new(args.expression()?)),
                },
            );
        } else if args.cur.take("period") {
            action.period = Some(Time::parse(args)?);
        } else {
            return Ok(Box::new(action));
        }
    }
}

impl Action for Bandwidth {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let limit = match &self.limit {
            Some(Size::Fixed(size)) => Some(*size),
            Some(Size::Sample(expr)) => {
                scene.number(expr).and_then(|size| u64::try_from(size).ok())
            }
            None => None,
        };
        let period = self.period.as_ref().and_then(|time| time.of(scene));
        let wish = BandwidthWish {
            proxy: Arc::clone(&self.proxy),
            filter: Arc::clone(&self.filter),
            limit,
            period,
        };
        scene.wishes.bandwidth.push(wish);
        // The limit begins with what is known at this moment.
        Flow::Renew
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        if let Some(Size::Sample(expr)) = &self.limit {
            expr.resolve(names)?;
        }
        if let Some(time) = &self.period {
            time.resolve(names)?;
        }
        let (filter, rule) = (&self.filter, "set-bandwidth-limit rule");
        let what = match names.bandwidth(filter) {
            None => format!("unable to find bwlim filter '{filter}' referenced by {rule}"),
            Some(true) if self.limit.is_some() => {
                format!("{rule} cannot define a limit for a shared bwlim filter")
            }
            Some(true) if self.period.is_some() => {
                format!("{rule} cannot define a period for a shared bwlim filter")
            }
            Some(_) => return Ok(()),
        };
        let text = format!("Proxy '{}': {what}.", names.proxy());
        Err(Diag::alert(self.span, text))
    }

    fn needs(&self) -> Needs<'_> {
        Needs::Bandwidth(&self.filter)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::Rig;
    use crate::time::Millis;

    #[test]
    fn a_limit_is_wished_for() {
        let mut rig = Rig::request("GET / HTTP/1.1\nHost: h");
        rig.run("http-request set-bandwidth-limit lim limit 10k period 2s");
        let wish = &rig.wishes.bandwidth[0];
        assert_eq!(&*wish.filter, "lim");
        assert_eq!(
            (wish.limit, wish.period),
            (Some(10 * 1024), Some(Millis::seconds(2)))
        );
    }
}
