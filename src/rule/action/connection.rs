//! Actions on connections: addresses, packet marks, headers that come before the protocol.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::lang::Diag;
use crate::sample::{Expr, Names};

use super::super::flow::Flow;
use super::super::phase::{Phase, Phases};
use super::super::scene::Scene;
use super::{Action, Args, Needs, Row};

/// Towards the client, at any time.
const CLIENT: Phases = Phases::ALL.without(Phase::AfterResponse.only());

pub(super) const ROWS: &[Row] = &[
    address(
        "set-src",
        "Changes the client's address as everybody sees it.",
        |args| {
            Ok(Box::new(Address {
                which: Which::Src,
                expr: args.expression()?,
            }))
        },
    ),
    address("set-src-port", "Changes the client's port.", |args| {
        Ok(Box::new(Address {
            which: Which::SrcPort,
            expr: args.expression()?,
        }))
    }),
    address(
        "set-dst",
        "Changes the address the client connected to.",
        |args| {
            Ok(Box::new(Address {
                which: Which::Dst,
                expr: args.expression()?,
            }))
        },
    ),
    address(
        "set-dst-port",
        "Changes the port the client connected to.",
        |args| {
            Ok(Box::new(Address {
                which: Which::DstPort,
                expr: args.expression()?,
            }))
        },
    ),
    packets(
        "set-mark",
        CLIENT,
        "Marks packets to the client (set-fc-mark).",
        |args| mark(args, Packets::FcMark),
    ),
    packets(
        "set-tos",
        CLIENT,
        "Sets the type of service to the client (set-fc-tos).",
        |args| mark(args, Packets::FcTos),
    ),
    packets(
        "set-fc-mark",
        CLIENT,
        "Marks packets to the client.",
        |args| mark(args, Packets::FcMark),
    ),
    packets(
        "set-fc-tos",
        CLIENT,
        "Sets the type of service to the client.",
        |args| mark(args, Packets::FcTos),
    ),
    packets(
        "set-bc-mark",
        Phases::REQUEST,
        "Marks packets to the server.",
        |args| mark(args, Packets::BcMark),
    ),
    packets(
        "set-bc-tos",
        Phases::REQUEST,
        "Sets the type of service to the server.",
        |args| mark(args, Packets::BcTos),
    ),
    Row {
        name: "expect-proxy",
        arguments: false,
        phases: Phase::Connection.only(),
        usage: "layer4",
        doc: "Expects a PROXY header first.",
        parse: |args| expect(args, true),
    },
    Row {
        name: "expect-netscaler-cip",
        arguments: false,
        phases: Phase::Connection.only(),
        usage: "layer4",
        doc: "Expects a NetScaler header first.",
        parse: |args| expect(args, false),
    },
];

type Parse = fn(&mut Args<'_>) -> Result<Box<dyn Action>, Diag>;

const fn address(name: &'static str, doc: &'static str, parse: Parse) -> Row {
    Row {
        name,
        arguments: false,
        phases: Phases::FORTH,
        usage: "<expr>",
        doc,
        parse,
    }
}

const fn packets(name: &'static str, phases: Phases, doc: &'static str, parse: Parse) -> Row {
    Row {
        name,
        arguments: false,
        phases,
        usage: "{ <value> | <expr> }",
        doc,
        parse,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Src,
    SrcPort,
    Dst,
    DstPort,
}

/// `set-src` and its kin.
#[derive(Debug)]
struct Address {
    which: Which,
    expr: Expr,
}

const UNKNOWN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

impl Action for Address {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let source = matches!(self.which, Which::Src | Which::SrcPort);
        let now = if source {
            scene.facts.src
        } else {
            scene.facts.dst
        };
        let mut changed = now.unwrap_or(UNKNOWN);
        match self.which {
            Which::Src | Which::Dst => match scene.address(&self.expr) {
                // haproxy: an address that cannot be had leaves the old one.
                Some(ip) => changed = SocketAddr::new(ip, changed.port()),
                None => return Flow::Continue,
            },
            Which::SrcPort | Which::DstPort => {
                let port = scene
                    .number(&self.expr)
                    .and_then(|port| u16::try_from(port).ok());
                match port {
                    Some(port) => changed.set_port(port),
                    None => return Flow::Continue,
                }
            }
        }
        if source {
            scene.facts.src = Some(changed);
            scene.wishes.src = Some(changed);
        } else {
            scene.facts.dst = Some(changed);
            scene.wishes.dst = Some(changed);
        }
        Flow::Continue
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.expr.resolve(names)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packets {
    FcMark,
    FcTos,
    BcMark,
    BcTos,
}

/// `set-fc-mark` and its kin.
#[derive(Debug)]
struct Mark {
    what: Packets,
    value: Result<u32, Box<Expr>>,
}

fn mark(args: &mut Args<'_>, what: Packets) -> Result<Box<dyn Action>, Diag> {
    let usage = "exactly 1 argument (integer/hex value)";
    let Some(word) = args.cur.peek() else {
        return Err(args.fail(format!("expects {usage}")));
    };
    let text = word.str();
    let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse::<u32>().ok(),
    };
    if let Some(number) = number {
        args.cur.skip(1);
        return Ok(Box::new(Mark {
            what,
            value: Ok(number),
        }));
    }
    let deprecated = matches!(args.word.str(), "set-mark" | "set-tos");
    if deprecated {
        args.cur.skip(1);
        let message =
            format!("invalid character starting at '{text}' (integer/hex value expected)");
        return Err(args.fail(message));
    }
    Ok(Box::new(Mark {
        what,
        value: Err(Box::new(args.expression()?)),
    }))
}

impl Action for Mark {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let value = match &self.value {
            Ok(value) => Some(*value),
            Err(expr) => scene
                .number(expr)
                .and_then(|value| u32::try_from(value).ok()),
        };
        let Some(value) = value else {
            return Flow::Continue;
        };
        let tos = u8::try_from(value & 0xff).ok();
        let packets = &mut scene.wishes.packets;
        match self.what {
            Packets::FcMark => packets.fc_mark = Some(value),
            Packets::FcTos => packets.fc_tos = tos,
            Packets::BcMark => packets.bc_mark = Some(value),
            Packets::BcTos => packets.bc_tos = tos,
        }
        Flow::Continue
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.value
            .as_ref()
            .map_or_else(|expr| expr.resolve(names), |_| Ok(()))
    }
}

/// `expect-proxy layer4`, `expect-netscaler-cip layer4`.
#[derive(Debug)]
struct Expect {
    proxy: bool,
}

fn expect(args: &mut Args<'_>, proxy: bool) -> Result<Box<dyn Action>, Diag> {
    if !args.cur.take("layer4") {
        return Err(args.fail("only supports 'layer4'"));
    }
    Ok(Box::new(Expect { proxy }))
}

impl Action for Expect {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        match self.proxy {
            true => scene.wishes.expect_proxy = true,
            false => scene.wishes.expect_netscaler = true,
        }
        Flow::Continue
    }

    fn needs(&self) -> Needs<'_> {
        Needs::Header(if self.proxy { "PROXY" } else { "NetScaler" })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::Rig;

    #[test]
    fn addresses_change_for_everybody() {
        let mut rig = Rig::request("GET / HTTP/1.1\nX: 10.0.0.9");
        rig.run("http-request set-src req.hdr(x)");
        rig.run("http-request set-src-port int(80)");
        assert_eq!(
            rig.wishes.src.map(|a| a.to_string()).as_deref(),
            Some("10.0.0.9:80")
        );
        rig.run("http-request set-src req.hdr(nope)");
        assert_eq!(
            rig.wishes.src.map(|a| a.to_string()).as_deref(),
            Some("10.0.0.9:80")
        );
    }

    #[test]
    fn marks_are_decimal_or_hexadecimal() {
        let mut rig = Rig::request("GET / HTTP/1.1\nHost: h");
        rig.run("http-request set-mark 0x1F");
        rig.run("http-request set-tos 46");
        rig.run("http-request set-bc-mark int(5)");
        let packets = rig.wishes.packets;
        assert_eq!(
            (packets.fc_mark, packets.fc_tos, packets.bc_mark),
            (Some(31), Some(46), Some(5))
        );
        assert!(
            Rig::wrong("http-request set-mark zz")
                .contains("invalid character starting at 'zz' (integer/hex value expected).")
        );
    }
}
