//! Medians, ratios and their spread; the table on the screen and in RESULTS.md.

use crate::contender::Contender;
use crate::machine;
use crate::scenario::Scenario;
use std::fmt::Write as _;

/// What one round of one contender gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    values: Vec<(&'static str, f64)>,
}

impl Figures {
    pub(crate) fn put(&mut self, name: &'static str, value: f64) {
        self.values.push((name, value));
    }

    fn value(&self, name: &str) -> Option<f64> {
        let found = self.values.iter().find(|(other, _)| *other == name);
        found.map(|&(_, value)| value)
    }
}

/// All rounds of a scenario.
pub(crate) struct Outcome {
    name: &'static str,
    about: &'static str,
    contenders: Vec<(Contender, Vec<Figures>)>,
}

impl Outcome {
    pub(crate) fn new(scenario: &Scenario, contenders: &[Contender]) -> Self {
        Self {
            name: scenario.name,
            about: scenario.about,
            contenders: contenders.iter().map(|&c| (c, Vec::new())).collect(),
        }
    }

    pub(crate) fn add(&mut self, place: usize, figures: Figures) {
        self.contenders[place].1.push(figures);
    }

    pub(crate) fn print(&self) {
        println!("{}", self.table());
    }

    /// One row a contender: its medians, and for each figure how sluice compares.
    fn table(&self) -> String {
        let names: Vec<&'static str> = self
            .contenders
            .iter()
            .find_map(|(_, rounds)| rounds.first())
            .map(|figures| figures.values.iter().map(|&(name, _)| name).collect())
            .unwrap_or_default();
        let mut text = format!("### {}: {}\n\n| |", self.name, self.about);
        // Writing to a string cannot fail.
        for name in &names {
            let _ = write!(text, " {name} | sluice / it |");
        }
        let _ = write!(text, "\n|---|{}\n", "---|---|".repeat(names.len()));
        for (contender, rounds) in &self.contenders {
            let _ = write!(text, "| {} |", contender.name());
            for name in &names {
                let values: Vec<f64> = rounds.iter().filter_map(|r| r.value(name)).collect();
                let _ = write!(text, " {} |", shown(median(&values)));
                let _ = write!(text, " {} |", self.comparison(*contender, name));
            }
            text.push('\n');
        }
        text
    }

    /// The ratio of sluice's figure to the contender's, round by round: median, lowest and highest.
    fn comparison(&self, contender: Contender, name: &str) -> String {
        let of = |wanted: Contender| {
            self.contenders
                .iter()
                .find(|(c, _)| *c == wanted)
                .map_or(&[][..], |(_, rounds)| rounds)
        };
        if contender == Contender::Sluice {
            return String::new();
        }
        let pairs = of(Contender::Sluice).iter().zip(of(contender));
        let mut ratios: Vec<f64> = pairs
            .filter_map(|(own, other)| {
                let other = other.value(name).filter(|&value| value > 0.0)?;
                Some(own.value(name)? / other)
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        match (ratios.first(), ratios.last()) {
            (Some(low), Some(high)) => {
                format!("**{:.2}** ({low:.2} to {high:.2})", median(&ratios))
            }
            _ => String::new(),
        }
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => sorted[len / 2],
        len => f64::midpoint(sorted[len / 2 - 1], sorted[len / 2]),
    }
}

fn shown(value: f64) -> String {
    match value {
        v if v.is_nan() => "–".to_owned(),
        v if v >= 1_000.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.3}"),
    }
}

const RESULTS: &str = "tests/bench/RESULTS.md";
/// Above this mark RESULTS.md is written by hand.
const MARK: &str = "<!-- figures -->\n";

/// Puts the tables into RESULTS.md, leaving the account above the mark as it is.
pub(crate) fn write(outcomes: &[Outcome], rounds: usize) -> std::io::Result<()> {
    let old = std::fs::read_to_string(RESULTS).unwrap_or_default();
    let account = old.split(MARK).next().unwrap_or_default();
    let tables: Vec<String> = outcomes.iter().map(Outcome::table).collect();
    let text = format!(
        "{account}{MARK}Medians of {rounds} interleaved rounds. {}.\n\n{}",
        machine::describe(),
        tables.join("\n")
    );
    std::fs::write(RESULTS, text)
}
