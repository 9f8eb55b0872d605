//! What a `userlist` section says.

use crate::lang::{Cursor, Diag, Keyword, Sections, Span, Word};

use super::{Hash, List, Secret};

/// A section as written.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// Where it was named.
    pub span: Span,
    users: Vec<UserLine>,
    groups: Vec<GroupLine>,
}

#[derive(Clone, Debug)]
struct UserLine {
    name: String,
    secret: Secret,
    groups: Vec<Word>,
}

#[derive(Clone, Debug)]
struct GroupLine {
    name: String,
    users: Vec<Word>,
}

/// The keywords of `userlist` sections.
pub const KEYWORDS: &[Keyword<Draft>] = &[
    Keyword {
        name: "group",
        sections: Sections::USERLIST,
        usage: "<name> [users <user>[,<user>]*]",
        doc: "A group, and who belongs to it.",
        parse: group,
    },
    Keyword {
        name: "user",
        sections: Sections::USERLIST,
        usage: "<name> [password|insecure-password <password>] [groups <group>[,<group>]*]",
        doc: "A user, the password or its hash, and groups.",
        parse: user,
    },
];

impl Draft {
    /// A section of which nothing was read yet.
    #[must_use]
    pub fn new(name: &str, span: Span) -> Draft {
        Draft {
            name: name.to_owned(),
            span,
            users: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// What the section amounts to.
    ///
    /// # Errors
    /// A user names a group that there is not, or the other way round; each is told.
    pub fn close(mut self) -> Result<List, Vec<Diag>> {
        let mut faults = Vec::new();
        for group in &self.groups {
            for word in &group.users {
                match self.users.iter_mut().find(|user| word.is(&user.name)) {
                    Some(user) => user.groups.push(Word::new(group.name.as_str(), word.span)),
                    None => faults.push(unknown("user", word, "group", &group.name)),
                }
            }
        }
        for user in &self.users {
            for word in &user.groups {
                if !self.groups.iter().any(|group| word.is(&group.name)) {
                    faults.push(unknown("group", word, "user", &user.name));
                }
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let users = self.users.into_iter().map(|user| {
            let groups = user.groups.iter().map(|word| word.str().to_owned());
            (user.name, user.secret, groups.collect())
        });
        Ok(List::new(self.name, users))
    }
}

fn unknown(kind: &str, word: &Word, of: &str, name: &str) -> Diag {
    let text = format!(
        "userlist: no such {kind} '{}' specified in {of} '{name}'.",
        word.shown()
    );
    Diag::alert(word.span, text)
}

fn group(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let name = named(cur, "group")?;
    let mut users = Vec::new();
    while let Some(word) = cur.next() {
        if !word.is("users") {
            return Err(Diag::alert(
                word.span,
                "'group' only supports 'users' option.",
            ));
        }
        users.extend(list(cur.expect("<user>")?));
    }
    if draft.groups.iter().any(|group| group.name == name) {
        ignored(cur, "group", &name, draft);
        return Ok(());
    }
    draft.groups.push(GroupLine { name, users });
    Ok(())
}

fn user(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let name = named(cur, "user")?;
    let mut line = UserLine {
        name,
        secret: Secret::None,
        groups: Vec::new(),
    };
    while let Some(word) = cur.next() {
        match word.str() {
            "password" => line.secret = hashed(cur.expect("<password>")?)?,
            "insecure-password" => {
                line.secret = Secret::Plain(cur.expect("<password>")?.bytes.to_vec());
            }
            "groups" => line.groups.extend(list(cur.expect("<group>")?)),
            _ => {
                return Err(Diag::alert(
                    word.span,
                    "'user' only supports 'password', 'insecure-password' and 'groups' options.",
                ));
            }
        }
    }
    if draft.users.iter().any(|user| user.name == line.name) {
        ignored(cur, "user", &line.name, draft);
        return Ok(());
    }
    draft.users.push(line);
    Ok(())
}

fn named(cur: &mut Cursor<'_>, keyword: &str) -> Result<String, Diag> {
    let word = cur
        .next()
        .ok_or_else(|| cur.alert(format!("'{keyword}' expects <name> as arguments.")))?;
    Ok(word.text()?.to_owned())
}

fn hashed(word: &Word) -> Result<Secret, Diag> {
    let hash = Hash::parse(word.str()).map_err(|scheme| {
        let text = format!("passwords hashed with {scheme} are not supported by sluice.");
        Diag::alert(word.span, text)
            .with_reason("SHA-512 ($6$), SHA-256 ($5$) and MD5 ($1$) are")
            .with_fix("the output of 'openssl passwd -6'")
    })?;
    Ok(Secret::Hashed(hash))
}

/// The names between commas, each where it stands.
fn list(word: &Word) -> Vec<Word> {
    let names = word.str().split(',').filter(|name| !name.is_empty());
    names.map(|name| Word::new(name, word.span)).collect()
}

fn ignored(cur: &mut Cursor<'_>, kind: &str, name: &str, draft: &Draft) {
    let text = format!(
        "ignoring duplicated {kind} '{name}' in userlist '{}'.",
        draft.name
    );
    let span = cur.keyword_span();
    cur.warn(Diag::warning(span, text));
}
