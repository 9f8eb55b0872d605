//! The pages of one proxy or `http-errors` section.

use std::sync::Arc;

use crate::lang::{Cursor, Diag, Word};
use crate::rule::action::{Args, Context};
use crate::rule::reply::{Kind, Reply};

use super::built_in::{self, index};
use super::{Page, PageLine, PageSource};

/// A page for each status that has one, and replies that are made for each request.
#[derive(Debug, Clone)]
pub struct PageSet {
    pages: Vec<Arc<Page>>,
    /// The statuses whose page was set.
    own: Vec<u16>,
    /// `http-error` lines with formats, by status.
    replies: Vec<(u16, Arc<Reply>)>,
}

impl Default for PageSet {
    /// The built-in pages.
    fn default() -> PageSet {
        PageSet {
            pages: built_in::pages().to_vec(),
            own: Vec::new(),
            replies: Vec::new(),
        }
    }
}

impl PageSet {
    /// Replaces the page of a status; false when the status has none.
    pub fn set(&mut self, status: u16, page: Arc<Page>) -> bool {
        match index(status) {
            Some(at) => {
                self.pages[at] = page;
                self.own.push(status);
                self.replies.retain(|(code, _)| *code != status);
                true
            }
            None => false,
        }
    }

    /// Has a reply made for each request stand in for the page of a status.
    pub fn set_reply(&mut self, status: u16, reply: Arc<Reply>) {
        self.replies.retain(|(code, _)| *code != status);
        self.replies.push((status, reply));
    }

    /// The reply to make for a status in place of its page, if there is one.
    #[must_use]
    pub fn reply(&self, status: u16) -> Option<&Arc<Reply>> {
        self.replies
            .iter()
            .find(|(code, _)| *code == status)
            .map(|(_, reply)| reply)
    }

    /// Takes the pages that `lines` ask for, in their order.
    pub fn take_lines(
        &mut self,
        lines: &[PageLine],
        context: &Context<'_>,
        faults: &mut Vec<Diag>,
    ) {
        for line in lines {
            faults.extend(self.take_line(line, context).err());
        }
    }

    fn take_line(&mut self, line: &PageLine, context: &Context<'_>) -> Result<(), Diag> {
        match &line.what {
            PageSource::File(status, path) => {
                let shown = path.shown();
                let bytes = (context.read_file)(&shown).map_err(|_| {
                    let message = format!("errorfile : error opening file '{shown}'.");
                    Diag::alert(path.span, message)
                })?;
                let page = Page::parse(*status, &bytes).map_err(|why| {
                    let message = format!("errorfile : '{shown}': {why}");
                    Diag::alert(path.span, message)
                })?;
                self.set(*status, Arc::new(page));
            }
            PageSource::Location(status, code, url) => {
                self.set(*status, Arc::new(Page::redirect(*code, &url.bytes)));
            }
            PageSource::Section(name, statuses) => self.take_section(name, statuses, context)?,
            PageSource::Reply(status, written) => {
                let word = Word::new("http-error", written.keyword);
                let cur = Cursor::new(&written.words, context.reader.env);
                let label = "'http-error' line".to_owned();
                let mut args = Args {
                    inherited: false,
                    cur,
                    word: &word,
                    label,
                    context,
                };
                let reply = Reply::parse(&mut args, Kind::HttpError)?;
                args.cur.end()?;
                self.set_reply(*status, Arc::new(reply));
            }
        }
        Ok(())
    }

    fn take_section(
        &mut self,
        name: &Word,
        statuses: &[u16],
        context: &Context<'_>,
    ) -> Result<(), Diag> {
        let shown = name.shown();
        let pages = (context.page_sets)(&shown).ok_or_else(|| {
            let proxy = context.proxy;
            let message = format!("proxy '{proxy}': unable to find the http-errors '{shown}'.");
            Diag::alert(name.span, message)
        })?;
        for status in built_in::statuses() {
            let page = pages.page(status);
            // Without a list of statuses, a section gives the pages it has itself.
            let own = pages.own.contains(&status);
            if statuses.contains(&status) || (statuses.is_empty() && own) {
                self.set(status, Arc::clone(page));
            }
        }
        Ok(())
    }

    /// The page of a status; for one without a page, that of its class.
    #[must_use]
    pub fn page(&self, status: u16) -> &Arc<Page> {
        let fallback = match status {
            0..400 => 200,
            400..500 => 400,
            _ => 500,
        };
        let at = index(status).or_else(|| index(fallback)).unwrap_or(0);
        &self.pages[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_takes_only_statuses_with_pages() {
        let mut pages = PageSet::default();
        assert_eq!(pages.page(418).status, 400);
        assert!(pages.set(403, Arc::new(Page::redirect(302, b"/x"))));
        assert!(!pages.set(299, Arc::new(Page::redirect(302, b"/x"))));
        assert_eq!(pages.page(403).head.get(b"location"), Some(&b"/x"[..]));
    }
}
