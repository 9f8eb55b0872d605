//! `sluice explain -f FILE 'GET https://host/path'`: what the configuration would make of a request.
//!
//! The request goes through the engine that serves traffic, over wires in memory ([`stage`]): a witness is told of every rule
//! that is looked at, the far end of the wire keeps what a server would get, and the near end what the client would. Nothing is
//! decided here, so nothing can be decided otherwise than for a real client. Servers count as up, and answer at once with
//! the status asked for; names are not looked up, no socket is opened, nothing is logged.

mod asked;
mod greeting;
mod stage;
mod told;

use std::sync::Arc;

use crate::config::Source;

use super::args::{Explain, Options, Shown};
use super::console::Console;
use super::load::{self, Loaded};
use asked::Asked;
use stage::Stage;

/// Explains the requests of a command line, text or a JSON object a line each.
///
/// # Errors
/// What the operator wrote cannot be understood, or the configuration cannot run.
pub(super) fn explain(
    wish: &Explain,
    requests: Option<&str>,
    console: &Console,
) -> Result<(), String> {
    let options = Options {
        files: wish.files.clone(),
        check: true,
        ignore_resolution: true,
        ..Options::default()
    };
    let sources: Vec<Source> = wish.files.iter().map(|f| Source::Path(f.into())).collect();
    let Some(mut loaded) = load::load(&options, &sources, console) else {
        return Err("this configuration does not run.".to_owned());
    };
    let site = &mut loaded.site;
    site.global.threads = 1;
    site.open_books();
    let Loaded { site, files, .. } = loaded;
    let site = Arc::new(site);
    let asked = match requests {
        Some(all) => Asked::read_all(all, wish)?,
        None => vec![Asked::read(&wish.words.join(" "), &wish.headers, wish)?],
    };
    for asked in &asked {
        let told = Stage::new(&site, asked)?.play(asked);
        console.answer(&match wish.format {
            Shown::Text => told::text(asked, &told, &files),
            Shown::Json => told::json(asked, &told, &files),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::stage::Told;
    use super::*;
    use crate::lang::Files;

    const SITE: &str = "global\n stats socket /x\ndefaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n\
        frontend fe\n bind 127.0.0.1:80\n bind 127.0.0.1:443 name safe\n acl api path_beg /api /v1\n\
        http-request deny if { path /no }\n http-request set-header x-api 1 if api\n\
        use_backend api if api { hdr(host) h }\n default_backend be\n\
        frontend raw\n mode tcp\n bind 127.0.0.1:444\n tcp-request inspect-delay 5s\n tcp-request content accept if { req.ssl_hello_type 1 }\n\
        use_backend tunnel if { req.ssl_sni h.test }\nbackend tunnel\n mode tcp\n server a1 127.0.0.1:9\n\
        backend api\n server a1 127.0.0.1:1\n http-response set-header seen yes\nbackend be\n server b1 127.0.0.1:2\n";

    fn told(line: &str) -> (Asked, Told, Files) {
        let source = Source::Text {
            name: "t.cfg".into(),
            text: SITE.into(),
        };
        let wish = Explain::default();
        let mut loaded =
            load::load(&Options::default(), &[source], &Console::new(true)).expect("valid");
        loaded.site.open_books();
        let asked = Asked::read(line, &[], &wish).expect("a request");
        let site = Arc::new(loaded.site);
        let told = Stage::new(&site, &asked).expect("a listener").play(&asked);
        (asked, told, loaded.files)
    }

    #[test]
    fn rules_are_told_as_they_decided() {
        let (asked, told, files) = told("GET http://h/api/x");
        assert_eq!(told.backend.as_deref(), Some("api"));
        assert_eq!(told.server.as_deref(), Some("a1"));
        let forwarded = String::from_utf8_lossy(&told.forwarded);
        assert!(forwarded.contains("x-api: 1\r\n"), "{forwarded}");
        assert!(String::from_utf8_lossy(&told.answer).contains("seen: yes"));
        let text = told::text(&asked, &told, &files);
        assert!(
            text.contains("api: path_beg of \"/api/x\" matches \"/api\""),
            "{text}"
        );
        assert!(!text.contains("\n\n\n") && !text.contains(" \n"), "{text}");
        let json = told::json(&asked, &told, &files);
        assert!(
            json.contains(r#""backend":"api","server":"a1","status":200"#),
            "{json}"
        );
    }

    #[test]
    fn tls_that_is_passed_on_is_seen_by_its_name() {
        let (asked, told, files) = told("GET https://h.test:444/api");
        assert_eq!(told.server.as_deref(), Some("a1"));
        let text = told::text(&asked, &told, &files);
        assert!(
            text.contains("req.ssl_sni of \"h.test\" matches \"h.test\""),
            "{text}"
        );
        assert!(
            text.contains("gets\n    the client's TLS, as it comes\n"),
            "{text}"
        );
    }

    #[test]
    fn what_the_proxy_answers_itself_reaches_no_server() {
        let (_, told, _) = told("GET http://h/no");
        assert_eq!((told.server.as_deref(), told.status()), (None, Some(403)));
        assert!(told.rules.last().is_some_and(|rule| rule.decides));
    }
}
