//! What was found while a configuration was read: every diagnostic, in file order.
//!
//! `load` and `resolve` add to a [`Report`] in whatever order they work; [`Report::render`] shows
//! everything sorted by place, with HAProxy's closing lines. Printing and exit codes are `boot`'s.

use std::collections::{BTreeSet, HashSet};

use crate::lang::{Diag, FileId, Files, Severity, Shape, Span};

/// How many errors one file may have before reading stops.
pub const ERRORS_MAX: usize = 50;

/// All diagnostics of one configuration.
#[derive(Debug, Default)]
pub struct Report {
    diags: Vec<Diag>,
    /// The messages that are said once and were.
    mentioned: HashSet<String>,
    /// What was said where: sections that inherit a line need not repeat what is wrong with it.
    said: HashSet<(Option<Span>, String)>,
    alerts: usize,
    warnings: usize,
}

impl Report {
    /// Adds a diagnostic, unless it is said once and was.
    pub fn add(&mut self, diag: Diag) {
        if diag.once && !self.mentioned.insert(diag.message.clone()) {
            return;
        }
        if diag.span.is_some() && !self.said.insert((diag.span, diag.message.clone())) {
            return;
        }
        match diag.severity {
            Severity::Alert => self.alerts += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Notice | Severity::Diag => {}
        }
        self.diags.push(diag);
    }

    /// Adds the error of a result, if it is one.
    pub fn check<T>(&mut self, result: Result<T, Diag>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(diag) => {
                self.add(diag);
                None
            }
        }
    }

    /// How many errors there are.
    #[must_use]
    pub fn alerts(&self) -> usize {
        self.alerts
    }

    /// How many warnings there are.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.warnings
    }

    /// Every diagnostic in file order; those without a place come last, in order of arrival.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Diag> {
        let mut sorted: Vec<&Diag> = self.diags.iter().collect();
        let place = |diag: &&Diag| diag.span.map_or((1, Span::default()), |span| (0, span));
        sorted.sort_by_key(place);
        sorted
    }

    /// The whole text for the operator: every diagnostic of at least `least`, in file order, and
    /// HAProxy's closing lines after errors.
    #[must_use]
    pub fn render(&self, files: &Files, pid: u32, least: Severity) -> String {
        let mut out = String::new();
        let sorted = self.sorted();
        let wanted = sorted.iter().filter(|diag| diag.severity >= least);
        for diag in wanted {
            out.push_str(&diag.render(files, pid));
        }
        if self.alerts == 0 {
            return out;
        }
        let wrong: BTreeSet<FileId> = self
            .diags
            .iter()
            .filter(|diag| diag.severity == Severity::Alert)
            .filter_map(|diag| diag.span.map(|span| span.file))
            .collect();
        let plain = |text: String| Diag::alert(None, text).with_shape(Shape::Plain);
        for file in wrong {
            let text = format!(
                "Error(s) found in configuration file : {}",
                files.path(file)
            );
            out.push_str(&plain(text).render(files, pid));
        }
        let text = "Fatal errors found in configuration.".to_string();
        out.push_str(&plain(text).render(files, pid));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diagnostics_are_shown_in_file_order() {
        let mut files = Files::default();
        let file = files.add("a.cfg", b"one\ntwo\n".to_vec());
        let span = |line| Span {
            file,
            line,
            start: 0,
            end: 1,
        };
        let mut report = Report::default();
        report.add(Diag::alert(None, "last"));
        report.add(Diag::alert(span(2), "second"));
        report.add(Diag::warning(span(1), "first"));
        report.add(Diag::notice(span(1), "said once").said_once());
        report.add(Diag::notice(span(2), "said once").said_once());
        let order: Vec<&str> = report.sorted().iter().map(|d| d.message.as_str()).collect();
        assert_eq!(order, ["first", "said once", "second", "last"]);
        assert_eq!((report.alerts(), report.warnings()), (2, 1));
        let text = report.render(&files, 1, Severity::Warning);
        assert!(!text.contains("said once"));
        assert!(text.contains("config : Error(s) found in configuration file : a.cfg\n"));
        assert!(text.ends_with("config : Fatal errors found in configuration.\n"));
    }
}
