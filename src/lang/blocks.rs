//! The nesting of `.if .elif .else .endif` through one file: whether a line counts.
//!
//! The loader says which directive it met and asks [`Blocks::live`] before each line; a condition is evaluated only where its
//! value matters. Always true: of one block at most one branch counts, and none after a malformed condition.

use super::diag::{Diag, Shape};
use super::span::Span;

/// How deep blocks may nest.
const DEPTH_MAX: usize = 100;

/// What a directive line (`.word …`) turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Branch {
    /// `.if`
    If,
    /// `.elif`
    Elif,
    /// `.else`
    Else,
    /// `.endif`
    Endif,
}

/// How far one `.if` block has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arm {
    /// The block stands inside skipped lines: nothing of it counts.
    Dead,
    /// No branch was taken yet.
    Waiting,
    /// This branch counts.
    Taken,
    /// A branch was taken before this one.
    Done,
}

/// One open `.if` block.
#[derive(Debug)]
struct Block {
    arm: Arm,
    after_else: bool,
    /// Where it began.
    span: Span,
}

/// The open `.if` blocks of one file.
#[derive(Debug, Default)]
pub struct Blocks {
    open: Vec<Block>,
}

impl Blocks {
    /// Whether lines count at this point.
    #[must_use]
    pub fn live(&self) -> bool {
        self.open.last().is_none_or(|block| block.arm == Arm::Taken)
    }

    /// Follows one directive; `condition` is asked only where its value matters.
    ///
    /// # Errors
    /// The directive does not fit here, nests too deep, or its condition is malformed; the blocks
    /// stay usable.
    pub fn follow(
        &mut self,
        branch: Branch,
        span: Span,
        condition: impl FnOnce() -> Result<bool, Diag>,
    ) -> Result<(), Diag> {
        if branch == Branch::If {
            return self.begin(span, condition);
        }
        let Some(block) = self.open.last_mut() else {
            return Err(lone(branch, span));
        };
        if branch == Branch::Endif {
            self.open.pop();
            return Ok(());
        }
        if block.after_else {
            return Err(lone(branch, span));
        }
        block.after_else = branch == Branch::Else;
        match block.arm {
            Arm::Taken => block.arm = Arm::Done,
            Arm::Waiting => {
                // A malformed condition must not let two branches count.
                block.arm = Arm::Done;
                let holds = branch == Branch::Else || condition()?;
                block.arm = if holds { Arm::Taken } else { Arm::Waiting };
            }
            Arm::Dead | Arm::Done => {}
        }
        Ok(())
    }

    fn begin(
        &mut self,
        span: Span,
        condition: impl FnOnce() -> Result<bool, Diag>,
    ) -> Result<(), Diag> {
        if self.open.len() == DEPTH_MAX {
            return Err(Diag::alert(
                span,
                format!("too many nested '.if', the maximum is {DEPTH_MAX}."),
            )
            .with_shape(Shape::Lexing));
        }
        let begun = |arm| Block {
            arm,
            after_else: false,
            span,
        };
        if !self.live() {
            self.open.push(begun(Arm::Dead));
            return Ok(());
        }
        let holds = condition();
        self.open.push(begun(match holds {
            Ok(true) => Arm::Taken,
            Ok(false) => Arm::Waiting,
            // No branch of it counts.
            Err(_) => Arm::Done,
        }));
        holds.map(|_| ())
    }

    /// Checks at the end of a file that every block was closed.
    ///
    /// # Errors
    /// One was not; it is located.
    pub fn end(&self) -> Result<(), Diag> {
        match self.open.last() {
            None => Ok(()),
            Some(block) => Err(Diag::alert(
                block.span,
                "'.if' section was not terminated by '.endif'.",
            )
            .with_shape(Shape::Lexing)
            .with_fix("add '.endif' before the end of the file")),
        }
    }
}

fn lone(branch: Branch, span: Span) -> Diag {
    let message = match branch {
        Branch::If => "unexpected '.if'",
        Branch::Elif => "lone '.elif' with no matching '.if'",
        Branch::Else => "lone '.else' with no matching '.if'",
        Branch::Endif => "lone '.endif' with no matching '.if'",
    };
    Diag::alert(span, message).with_shape(Shape::Lexing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_branch_counts() {
        let mut blocks = Blocks::default();
        let mut step = |branch, holds| {
            blocks
                .follow(branch, Span::default(), || Ok(holds))
                .map(|()| blocks.live())
                .ok()
        };
        assert_eq!(step(Branch::If, false), Some(false));
        assert_eq!(step(Branch::If, true), Some(false), "inside a dead branch");
        assert_eq!(step(Branch::Else, true), Some(false));
        assert_eq!(step(Branch::Endif, true), Some(false));
        assert_eq!(step(Branch::Elif, true), Some(true));
        assert_eq!(step(Branch::Elif, true), Some(false));
        assert_eq!(step(Branch::Else, true), Some(false));
        assert_eq!(step(Branch::Elif, true), None, "after .else");
        assert_eq!(step(Branch::Endif, true), Some(true));
        assert_eq!(step(Branch::Endif, true), None);
        assert!(blocks.end().is_ok());
    }

    #[test]
    fn open_and_deep_blocks_are_refused() {
        let mut blocks = Blocks::default();
        for _ in 0..DEPTH_MAX {
            let followed = blocks.follow(Branch::If, Span::default(), || Ok(true));
            assert!(followed.is_ok());
        }
        assert!(
            blocks
                .follow(Branch::If, Span::default(), || Ok(true))
                .is_err()
        );
        assert!(blocks.end().is_err());
    }

    #[test]
    fn a_malformed_condition_takes_no_branch() {
        let mut blocks = Blocks::default();
        let failed = blocks.follow(Branch::If, Span::default(), || {
            Err(Diag::alert(None, "bad"))
        });
        assert!(failed.is_err() && !blocks.live());
        let followed = blocks.follow(Branch::Else, Span::default(), || Ok(true));
        assert!(followed.is_ok() && !blocks.live());
    }
}
