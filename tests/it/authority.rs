//! An authority of certificates, made for one test by OpenSSL.

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Stdio};

use crate::program::Scratch;

/// A folder with `ca.pem`, and what the authority signed; it goes when dropped.
pub(crate) struct Authority {
    folder: Scratch,
    /// The authority's own list of what it signed.
    index: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let own = Self {
            folder: Scratch::new(name),
            index: String::new(),
        };
        let text = format!(
            "[ca]\ndefault_ca=own\n[own]\ndatabase={}\ndefault_md=sha256\ndefault_crl_days=30\n",
            own.path("index")
        );
        fs::write(own.folder.join("ca.cnf"), text).expect("written");
        let (key, cert) = (own.path("ca.key"), own.path("ca.pem"));
        let subject = format!("/CN={name}");
        let made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30";
        own.openssl(made, &["-keyout", &key, "-out", &cert, "-subj", &subject]);
        own
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path(name)
    }

    pub(crate) fn openssl(&self, words: &str, more: &[&str]) {
        let status = Command::new("openssl")
            .args(words.split(' '))
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(status.expect("openssl runs").success(), "{words} {more:?}");
    }

    /// Signs a certificate of this name and number, with more extensions; the path of it and its key in one file.
    pub(crate) fn sign(&mut self, name: &str, serial: u8, extension: &str) -> String {
        let (key, wish) = (self.path("own.key"), self.path("own.csr"));
        let made = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        let subject = format!("/CN={name}");
        self.openssl(made, &["-keyout", &key, "-out", &wish, "-subj", &subject]);
        let (own, extensions) = (self.path("own.crt"), self.path("own.ext"));
        fs::write(
            &extensions,
            format!("subjectAltName=DNS:{name}\n{extension}"),
        )
        .expect("written");
        let (ca, ca_key) = (self.path("ca.pem"), self.path("ca.key"));
        let serial_number = serial.to_string();
        let files = [
            "-in",
            &wish,
            "-out",
            &own,
            "-CA",
            &ca,
            "-CAkey",
            &ca_key,
            "-set_serial",
            &serial_number,
            "-extfile",
            &extensions,
        ];
        self.openssl("x509 -req -days 30", &files);
        let text = |path: &str| fs::read_to_string(path).expect("readable");
        let path = self.path(&format!("{name}.pem"));
        fs::write(&path, text(&own) + &text(&key)).expect("written");
        let _ = writeln!(
            self.index,
            "V\t491231235959Z\t\t{serial:02X}\tunknown\t/CN={name}"
        );
        path
    }

    /// Takes back what has this number; the path of the list that says so.
    pub(crate) fn revoke(&mut self, serial: u8) -> String {
        let valid = format!("V\t491231235959Z\t\t{serial:02X}");
        let revoked = format!("R\t491231235959Z\t240101000000Z\t{serial:02X}");
        self.index = self.index.replace(&valid, &revoked);
        self.write_index();
        let (config, list) = (self.path("ca.cnf"), self.path("crl.pem"));
        let (ca, ca_key) = (self.path("ca.pem"), self.path("ca.key"));
        let files = [
            "-config", &config, "-keyfile", &ca_key, "-cert", &ca, "-out", &list,
        ];
        self.openssl("ca -gencrl", &files);
        list
    }

    /// Writes the list down, for programs that look into it.
    pub(crate) fn write_index(&self) {
        fs::write(self.folder.join("index"), &self.index).expect("written");
        fs::write(self.folder.join("index.attr"), "unique_subject = no\n").expect("written");
    }
}
