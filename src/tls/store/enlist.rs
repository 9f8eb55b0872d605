//! Changes of lists of certificates: `add` and `del ssl crt-list`.

use super::change::Said;
use super::pile::Kind;
use super::{Entries, Line, State, Store};
use crate::tls::Acceptor;
use crate::tls::draft::under;

impl Store {
    /// Keeps a list that no file has, by a name that begins with `@`.
    pub(in crate::tls) fn keep_list(&self, name: &str, lines: Vec<Line>) {
        let last = lines.last().map_or(0, |line| line.number);
        let entries = Entries {
            lines,
            last,
            is_directory: false,
        };
        self.lock().entries.insert(name.into(), entries);
    }

    /// `add ssl crt-list`: a line as it would stand in the file, or a certificate's name alone.
    ///
    /// # Errors
    /// There is no such list, or the line cannot be carried out.
    pub fn add_entry(&self, list: &str, text: &str) -> Said {
        let list = list.trim_end_matches('/');
        let mut state = self.lock();
        let base = state.crt_base.clone();
        let refused = |why: String| format!("Can't edit the crt-list: {why}\n");
        if !state.entries.contains_key(list) {
            return Err(refused(format!("crt-list '{list}' does not exist!")));
        }
        let line = Line::parse(text, 0, base.as_deref()).map_err(refused)?;
        let Some(line) = line else {
            return Err(refused("no line.".to_owned()));
        };
        if !state.bundles.contains_key(&line.crt) {
            return Err(refused(format!(
                "certificate '{}' does not exist!",
                line.crt
            )));
        }
        for (word, kind) in [
            (&line.draft.ca_file, Kind::Authorities),
            (&line.draft.ca_verify_file, Kind::Authorities),
            (&line.draft.crl_file, Kind::Revocations),
        ] {
            // Files are not read at run time: what is named has to be known.
            if let Some(word) = word
                && !state.piles[kind as usize]
                    .contains_key(&*under(state.ca_base.as_deref(), word.str()))
            {
                return Err(refused(format!("unable to load {}", word.shown())));
            }
        }
        let crt = line.crt.clone();
        let before = state.entries[list].clone();
        before.admits(list, &line).map_err(refused)?;
        state.edit_entries(list, |entries| entries.add(line));
        if let Err(why) = state.remake_list(list) {
            state.entries.insert(list.into(), before);
            return Err(refused(why));
        }
        Ok(format!(
            "Inserting certificate '{crt}' in crt-list '{list}'.\nSuccess!\n"
        ))
    }

    /// `del ssl crt-list`: a certificate's name, with its line where it stands several times.
    ///
    /// # Errors
    /// There is no such line, or a line of clients would be left without.
    pub fn delete_entry(&self, list: &str, crt: &str) -> Said {
        let list = list.trim_end_matches('/');
        let mut state = self.lock();
        let refused = |why: String| format!("Can't delete the entry: {why}\n");
        let Some(entries) = state.entries.get(list) else {
            return Err(refused(format!("crt-list '{list}' does not exist!")));
        };
        let (crt, number) = match crt.rsplit_once(':') {
            Some((name, number)) if number.parse::<usize>().is_ok() => {
                (name, number.parse::<usize>().ok())
            }
            _ => (crt, None),
        };
        let fits: Vec<usize> = (0..entries.lines.len())
            .filter(|at| {
                let line = &entries.lines[*at];
                *line.crt == *crt && number.is_none_or(|number| line.number == number)
            })
            .collect();
        let at = match fits[..] {
            [at] => at,
            [] => {
                return Err(refused(format!(
                    "certificate '{crt}' can't be found in crt-list '{list}'!"
                )));
            }
            _ => {
                return Err(refused(format!(
                    "the certificate '{crt}' is several times in the crt-list, please use <file>:<line>"
                )));
            }
        };
        let users = state.defaults_of(list, &entries.lines[at]);
        if !users.is_empty() {
            return Err(refused(format!(
                "certificate '{crt}' cannot be deleted, it is used as default certificate by the following frontends:\n{users}"
            )));
        }
        let before = state.entries[list].clone();
        state.edit_entries(list, |entries| {
            entries.lines.remove(at);
        });
        if let Err(why) = state.remake_list(list) {
            state.entries.insert(list.into(), before);
            return Err(refused(why));
        }
        let still = state.entries.values().flat_map(|own| &own.lines);
        if !still.into_iter().any(|line| *line.crt == *crt) {
            state.updates.remove(crt);
        }
        state.renewals.ring();
        Ok(format!("Entry '{crt}' deleted in crtlist '{list}'!\n"))
    }
}

impl State {
    fn edit_entries(&mut self, list: &str, edit: impl FnOnce(&mut Entries)) {
        if let Some(entries) = self.entries.get_mut(list) {
            edit(entries);
        }
    }

    fn remake_list(&mut self, list: &str) -> Result<(), String> {
        let by_list = |acceptor: &Acceptor, _: &State| acceptor.lists().any(|own| own == list);
        self.remake(by_list, |_| false)?.publish();
        Ok(())
    }

    /// The lines whose default certificate comes from this line of a list, as they are named, each on a line.
    fn defaults_of(&self, list: &str, line: &Line) -> String {
        let own = self.live_acceptors();
        let first = self
            .entries
            .get(list)
            .and_then(|entries| entries.lines.first());
        let is_first =
            first.is_some_and(|first| first.number == line.number && first.crt == line.crt);
        let users = own
            .iter()
            .filter(|acceptor| is_first && acceptor.is_default_of(list));
        users
            .map(|acceptor| format!("{}\n", acceptor.place()))
            .collect()
    }
}
