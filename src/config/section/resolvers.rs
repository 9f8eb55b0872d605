//! `resolvers` sections: the line that begins one. Its rows are `dns`'s.

use crate::config::draft::ResolversDraft;
use crate::config::load::{Loader, Place};
use crate::dns::run::draft::Draft;
use crate::lang::{Diag, Word, check_name};

/// Begins a section.
///
/// # Errors
/// It has no name, or another section has it.
pub(crate) fn begin(loader: &mut Loader<'_>, words: &[Word]) -> Result<(), Diag> {
    loader.place = Place::Skipped;
    let name = words
        .get(1)
        .ok_or_else(|| Diag::alert(words[0].span.after(), "missing name for resolvers section."))?;
    check_name(name, "resolvers")?;
    let sections = &mut loader.written.draft.resolvers;
    let text = name.text()?;
    if let Some(twin) = sections.iter().find(|section| section.name == text) {
        let line = twin.span.line;
        return Err(Diag::alert(
            name.span,
            format!(
                "resolvers '{text}' has same name as another resolvers (declared at line {line})."
            ),
        ));
    }
    loader.place = Place::Resolvers(sections.len());
    sections.push(ResolversDraft {
        name: text.to_owned(),
        span: name.span,
        dns: Draft::default(),
    });
    Ok(())
}
