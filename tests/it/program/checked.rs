//! What `-c` says of configurations.

use std::path::PathBuf;
use std::process::Command;

use super::{Scratch, path};

/// A verdict on a configuration.
pub(crate) struct Checked {
    /// The status that the program ended with.
    pub(crate) status: Option<i32>,
    /// What it wrote about it.
    pub(crate) said: String,
    file: PathBuf,
}

impl Checked {
    /// Whether a line of what it wrote has this sentence and names this line of the configuration.
    pub(crate) fn tells(&self, line: usize, sentence: &str) -> bool {
        let place = format!("{}:{line}]", self.file.display());
        let mut lines = self.said.lines();
        lines.any(|said| said.contains(&place) && said.contains(sentence))
    }
}

/// Has the program check a configuration.
pub(crate) fn check(name: &str, text: &str) -> Checked {
    let folder = Scratch::new(name);
    let file = folder.write("t.cfg", text);
    let mut command = Command::new(path());
    let output = command.args(["-c", "-f"]).arg(&file).output();
    let output = output.expect("the program starts");
    Checked {
        status: output.status.code(),
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
        file,
    }
}

/// That a configuration of these lines behind `head` is refused, and of each line is said, with its number, the sentence beside it.
pub(crate) fn refuses(name: &str, head: &str, lines: &[(&str, &str)]) {
    let text: String = lines.iter().map(|(line, _)| format!("{line}\n")).collect();
    let checked = check(name, &format!("{head}{text}"));
    let said = &checked.said;
    assert_eq!(checked.status, Some(1), "{said}");
    for ((_, sentence), number) in lines.iter().zip(head.lines().count() + 1..) {
        let told = checked.tells(number, sentence);
        assert!(told, "{number}: {sentence} in {said}");
    }
}
