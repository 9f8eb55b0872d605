//! The environment as the configuration sees it: a map handed in, never the process's own.
//!
//! `boot` fills it from the process environment and the command line; `setenv` and its kind edit
//! it while the file is read, so that later lines see the change.

use std::collections::BTreeMap;

/// Variables by name, and the names of ports.
#[derive(Debug, Clone, Default)]
pub struct Env {
    variables: BTreeMap<String, Vec<u8>>,
    ports: Option<Ports>,
}

/// Tells the port of a service's name.
type Ports = fn(&str) -> Option<u16>;

impl Env {
    /// The value of a variable, or none when it is unset.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        self.variables.get(name).map(Vec::as_slice)
    }

    /// Sets a variable.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        self.variables.insert(name.into(), value.into());
    }

    /// Unsets a variable.
    pub fn unset(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// Unsets every variable that `keep` refuses.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.variables.retain(|name, _| keep(name));
    }

    /// Has the names of ports asked of `ports`.
    pub fn name_ports_by(&mut self, ports: fn(&str) -> Option<u16>) {
        self.ports = Some(ports);
    }

    /// The list of addresses `text` with numbers in the place of ports' names (`:http`); nothing where it has none that is known.
    // haproxy, names of ports in addresses (`:http`): are refused; here: are taken, because the host knows them.
    #[must_use]
    pub fn numbered(&self, text: &str) -> Option<String> {
        let ports = self.ports?;
        let number = |one: &str| {
            let (place, name) = one.rsplit_once(':')?;
            let spelled = name.starts_with(|first: char| first.is_ascii_alphabetic());
            let bare = place.rsplit('@').next().unwrap_or(place);
            let is_six = bare.contains(':') && !bare.starts_with('[');
            if !spelled || is_six || place.contains('/') {
                return None;
            }
            Some(format!("{place}:{}", ports(name)?))
        };
        text.split(',').any(|one| number(one).is_some()).then(|| {
            let words = text.split(',');
            let words = words.map(|one| number(one).unwrap_or_else(|| one.to_owned()));
            words.collect::<Vec<String>>().join(",")
        })
    }

    /// Every variable in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}

impl<N: Into<String>, V: Into<Vec<u8>>> FromIterator<(N, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Env {
        let variables = pairs
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Env {
            variables,
            ports: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_ports_become_numbers_where_they_are_known() {
        let mut env = Env::default();
        assert_eq!(env.numbered(":http"), None);
        env.name_ports_by(|name| match name {
            "http" => Some(80),
            name if name.starts_with(|c: char| c.is_ascii_digit()) => panic!("{name} is asked"),
            _ => None,
        });
        for (text, numbered) in [
            (":http", Some(":80")),
            ("*:http,[::1]:http,:81", Some("*:80,[::1]:80,:81")),
            ("ipv4@a.test:http", Some("ipv4@a.test:80")),
            (":https", None),
            ("::http", None),
            ("/run/a:http", None),
            ("a.test:80", None),
            ("http", None),
        ] {
            assert_eq!(env.numbered(text).as_deref(), numbered, "{text}");
        }
    }
}
