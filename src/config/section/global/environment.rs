//! What the lines that follow see: variables of the environment and of the process, and where paths begin.

use crate::config::draft::{EnvEdit, GlobalDraft, Origin, VariableDraft};
use crate::lang::{Cursor, Diag, Keyword, suggest};
use crate::sample::{Scope, VarName};

/// The rows.
#[rustfmt::skip]
pub(crate) const KEYWORDS: &[Keyword<GlobalDraft>] = &[
    Keyword::of_global("default-path", "{ current | config | parent | origin <path> }", "Where relative paths of the lines that follow begin.",
        default_path),
    Keyword::of_global("set-var", "<var-name> <expr>", "Sets a variable of the process to a sample.",
        |cur, g| variable(cur, g, false)),
    Keyword::of_global("set-var-fmt", "<var-name> <fmt>", "Sets a variable of the process to a text.",
        |cur, g| variable(cur, g, true)),
    Keyword::of_global("setenv", "<name> <value>", "Sets a variable for the lines that follow.",
        |cur, g| assign(cur, g, EnvEdit::Set)),
    Keyword::of_global("presetenv", "<name> <value>", "Sets a variable unless it is set.",
        |cur, g| assign(cur, g, EnvEdit::Preset)),
    Keyword::of_global("unsetenv", "<name> ...", "Unsets variables.",
        unset),
    Keyword::of_global("resetenv", "[<name> ...]", "Unsets every variable but the ones named.",
        reset),
];

fn default_path(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    let word = cur.expect("one of 'current', 'config', 'parent', 'origin'")?;
    global.default_path = Some(match word.str() {
        "current" => Origin::Start,
        "config" => Origin::File,
        "parent" => Origin::AboveFile,
        "origin" => Origin::Directory(cur.expect("a directory")?.text()?.into()),
        _ => {
            let text = format!(
                "'default-path' : expects one of 'current', 'config', 'parent', 'origin' but got '{}'.",
                word.shown()
            );
            let near = suggest(word.str(), ["current", "config", "parent", "origin"]);
            return Err(Diag::alert(word.span, text).with_fix_from(near));
        }
    });
    cur.end()
}

fn variable(cur: &mut Cursor<'_>, global: &mut GlobalDraft, is_format: bool) -> Result<(), Diag> {
    const WANTED: &str = "a process-wide variable name ('proc.<name>') and a sample expression";
    let name = cur.expect(WANTED)?.clone();
    let refuse = |text: String| Diag::alert(name.span, format!("'{}' : {text}.", cur.keyword()));
    let read = VarName::parse(name.text()?).map_err(refuse)?;
    if read.scope != Scope::Proc {
        return Err(refuse(format!(
            "invalid variable '{}', only the 'proc' scope is permitted here",
            name.shown()
        )));
    }
    cur.peek().ok_or_else(|| cur.missing(WANTED))?;
    let value = cur.rest().to_vec();
    if let (true, [_, extra, ..]) = (is_format, &value[..]) {
        let text = format!(
            "'{}' cannot handle unexpected argument '{}'.",
            cur.keyword(),
            extra.shown()
        );
        return Err(Diag::alert(extra.span, text));
    }
    global.variables.push(VariableDraft {
        name,
        value,
        is_format,
    });
    Ok(())
}

fn assign(
    cur: &mut Cursor<'_>,
    global: &mut GlobalDraft,
    edit: fn(String, Vec<u8>) -> EnvEdit,
) -> Result<(), Diag> {
    let name = cur.expect("a name and a value.")?.text()?.to_string();
    let value = cur.expect("a name and a value.")?.bytes.to_vec();
    global.env_edits.push(edit(name, value));
    cur.ignore_rest()
}

fn unset(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    cur.peek()
        .ok_or_else(|| cur.missing("at least one variable name"))?;
    let gone = names(cur)?.into_iter().map(EnvEdit::Unset);
    global.env_edits.extend(gone);
    Ok(())
}

fn reset(cur: &mut Cursor<'_>, global: &mut GlobalDraft) -> Result<(), Diag> {
    global.env_edits.push(EnvEdit::Reset(names(cur)?));
    Ok(())
}

fn names(cur: &mut Cursor<'_>) -> Result<Vec<String>, Diag> {
    let words = cur.rest().iter();
    words.map(|word| Ok(word.text()?.to_string())).collect()
}
