//! `email-alert`: which backends tell by mail, whom, and through which servers.

use super::proxies::Names;
use super::{Host, peers};
use crate::config::draft::{GlobalDraft, ProxyDraft};
use crate::config::report::Report;
use crate::config::section::mailers::MailersDraft;
use crate::lang::{Diag, Shape, suggest_name};
use crate::log::Level;
use crate::site::{Mail, Postbox, Site};

/// Gives the backends that ask for it their boxes.
pub(super) fn all(
    sections: &[MailersDraft],
    (proxies, _, names): (&[ProxyDraft], &GlobalDraft, &Names<'_>),
    host: &dyn Host,
    site: &mut Site,
    report: &mut Report,
) {
    for section in sections.iter().filter(|section| section.mailers.is_empty()) {
        let text = format!("section 'mailers {}' has no mailer.", section.name);
        report.add(Diag::notice(section.span, text).with_fix("mailer <name> <ip>:<port>"));
    }
    for (at, proxy) in proxies.iter().enumerate() {
        let mail = mail(proxy, sections, host, report);
        if let Some(back) = names.halves(at).1 {
            site.backends[back.index()].mail = mail;
        }
    }
}

fn mail(
    proxy: &ProxyDraft,
    sections: &[MailersDraft],
    host: &dyn Host,
    report: &mut Report,
) -> Option<Mail> {
    let said = &proxy.mail;
    let (Some(from), Some(to), Some(name)) = (&said.from, &said.to, &said.mailers) else {
        let any = [&said.from, &said.to, &said.mailers, &said.hostname];
        if any.iter().any(|word| word.is_some()) || said.level.is_some() {
            report.add(incomplete(proxy));
        }
        return None;
    };
    let Some(section) = sections.iter().find(|section| name.is(&section.name)) else {
        let text = format!(
            "Proxy '{}': unable to find mailers '{}'.",
            proxy.name,
            name.shown()
        );
        let near = suggest_name(name.str(), sections.iter().map(|one| one.name.as_str()));
        let diag = Diag::alert(name.span, text).with_shape(Shape::Plain);
        report.add(diag.with_fix_from(near));
        return None;
    };
    let context = format!("mailers '{}': ", section.name);
    let lines = section.mailers.iter();
    let boxes = lines
        .filter_map(|line| report.check(peers::resolved(line, &context, host)))
        .map(|address| Postbox::new(address, section.timeout))
        .collect();
    Some(Mail {
        level: said.level.unwrap_or(Level::Alert),
        from: from.str().into(),
        to: to.str().into(),
        hostname: said.hostname.as_ref().map(|word| word.str().into()),
        boxes,
    })
}

fn incomplete(proxy: &ProxyDraft) -> Diag {
    let text = format!(
        "{} '{}' : 'email-alert' will be ignored (it needs 'email-alert from', 'email-alert mailers' and \
         'email-alert to').",
        proxy.keyword(),
        proxy.name
    );
    Diag::warning(proxy.span, text).with_shape(Shape::Plain)
}
