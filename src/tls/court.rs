//! Whether a peer's certificate is to be believed (RFC 5280, section 6), judged as OpenSSL does.
//!
//! A chain is built from the peer's certificates and the authorities at hand, these first; then extensions, names, revocation,
//! signatures and times are judged, in this order. Each fault is a [`Charge`] with OpenSSL's number and the depth of the
//! certificate it concerns; whoever asked says whether it is borne, as `ca-ignore-err` and `crt-ignore-err` want. The path ends at an
//! authority that is its own issuer.
//!
//! Always true: work is bounded by [`PATH_MAX`], whatever the peer sends; a fault that is not borne ends the judging.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::crypto::WebPkiSupportedAlgorithms;

use super::names;
use crate::x509::{Certificate, RevocationList, Signed, oid};

/// Certificates in a path, and so signatures to check.
const PATH_MAX: usize = 10;

/// Authorities by their subjects' names.
#[derive(Debug, Default)]
pub(super) struct Authorities(HashMap<Box<[u8]>, Vec<Arc<[u8]>>>);

impl Authorities {
    /// Adds those that can be read.
    pub(super) fn add<'a>(&mut self, certificates: impl IntoIterator<Item = &'a Arc<[u8]>>) {
        for der in certificates {
            if let Some(read) = Certificate::read(der) {
                let same = self.0.entry(read.subject.into()).or_default();
                if !same.contains(der) {
                    same.push(der.clone());
                }
            }
        }
    }

    /// Their names, for peers to choose a certificate by.
    pub(super) fn subjects(&self) -> impl Iterator<Item = &[u8]> {
        self.0.keys().map(|name| &**name)
    }

    fn named(&self, subject: &[u8]) -> impl Iterator<Item = Certificate<'_>> {
        let same = self.0.get(subject).map_or(&[][..], Vec::as_slice);
        same.iter().filter_map(|der| Certificate::read(der))
    }
}

/// What a certificate is to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// By a client, to show who it is.
    Client,
    /// By a server, to show who it is.
    Server,
}

impl Purpose {
    /// The identifier among extended usages.
    fn id(self) -> &'static [u8] {
        match self {
            Purpose::Server => &[0x2b, 6, 1, 5, 5, 7, 3, 1],
            Purpose::Client => &[0x2b, 6, 1, 5, 5, 7, 3, 2],
        }
    }

    /// Key usages one of which has to be allowed where usages are named.
    fn usages(self) -> &'static [usize] {
        match self {
            Purpose::Server => &[DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, KEY_AGREEMENT],
            Purpose::Client => &[DIGITAL_SIGNATURE, KEY_AGREEMENT],
        }
    }
}

/// A fault of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Charge {
    /// OpenSSL's number.
    pub(super) number: u16,
    /// How far above the leaf the certificate stands.
    pub(super) depth: usize,
}

/// What judging goes by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Court<'a> {
    pub(super) authorities: &'a Authorities,
    /// Lists of revoked certificates; with some, each certificate of the path needs one.
    pub(super) lists: Option<&'a [Arc<[u8]>]>,
    pub(super) purpose: Purpose,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
    /// Seconds since the epoch.
    pub(super) now: i64,
}

/// A charge was not borne.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused;

/// Says whether a charge is borne.
type Bear<'b> = &'b mut dyn FnMut(Charge) -> bool;

fn charge(bear: Bear<'_>, number: u16, depth: usize) -> Result<(), Refused> {
    if bear(Charge { number, depth }) {
        Ok(())
    } else {
        Err(Refused)
    }
}

impl<'a> Court<'a> {
    /// Judges the chain a peer has shown, its own certificate first. `true` from `bear` goes on in spite of a charge.
    ///
    /// # Errors
    /// A charge was not borne.
    pub(super) fn judge(&self, chain: &[&'a [u8]], bear: Bear<'_>) -> Result<(), Refused> {
        let Some(leaf) = chain.first().and_then(|der| Certificate::read(der)) else {
            charge(bear, UNSPECIFIED, 0)?;
            return Ok(());
        };
        let rest: Vec<_> = chain[1..]
            .iter()
            .take(PATH_MAX)
            .filter_map(|der| Certificate::read(der))
            .collect();
        let path = self.path(leaf, rest, bear)?;
        self.extensions(&path, bear)?;
        names::judge(&path, &mut |number, depth| charge(bear, number, depth))?;
        if let Some(lists) = self.lists {
            self.revocation(&path, lists, bear)?;
        }
        self.signatures(&path, bear)
    }

    /// The way from the leaf to an authority that is its own issuer, as far as it goes.
    fn path(
        &self,
        leaf: Certificate<'a>,
        mut rest: Vec<Certificate<'a>>,
        bear: Bear<'_>,
    ) -> Result<Vec<Certificate<'a>>, Refused> {
        let mut path = vec![leaf];
        let mut believed = false;
        loop {
            let last = path[path.len() - 1];
            let depth = path.len() - 1;
            if is_issuer(&last, &last) {
                let known = |own: Certificate<'_>| own.signed.body == last.signed.body;
                if !believed && !self.authorities.named(last.subject).any(known) {
                    let number = if depth == 0 {
                        SELF_SIGNED_LEAF
                    } else {
                        SELF_SIGNED_IN_CHAIN
                    };
                    charge(bear, number, depth)?;
                }
                return Ok(path);
            }
            if path.len() == PATH_MAX {
                charge(bear, CHAIN_TOO_LONG, depth)?;
                return Ok(path);
            }
            let mut fitting = self.authorities.named(last.issuer);
            let mut found: Option<Certificate<'a>> = None;
            // One that is valid is better than one that is not.
            while found.is_none_or(|found| !self.is_in_time(&found)) {
                let Some(other) = fitting.next() else { break };
                if is_issuer(&other, &last) {
                    found = Some(other);
                }
            }
            if let Some(found) = found {
                believed = true;
                path.push(found);
            } else if let Some(at) = rest.iter().position(|other| is_issuer(other, &last))
                && !believed
            {
                path.push(rest.swap_remove(at));
            } else {
                let number = if believed { NO_ISSUER } else { NO_LOCAL_ISSUER };
                charge(bear, number, depth)?;
                return Ok(path);
            }
        }
    }

    fn is_in_time(&self, certificate: &Certificate<'_>) -> bool {
        (certificate.not_before..=certificate.not_after).contains(&self.now)
    }

    fn extensions(&self, path: &[Certificate<'_>], bear: Bear<'_>) -> Result<(), Refused> {
        let mut below = 0;
        for (depth, certificate) in path.iter().enumerate() {
            let strange =
                |(id, critical, _): (&[u8], bool, &[u8])| critical && !HANDLED.contains(&id);
            if certificate.extensions().any(strange) {
                charge(bear, UNHANDLED_EXTENSION, depth)?;
            }
            if depth > 0 && !is_authority(certificate) {
                charge(bear, INVALID_AUTHORITY, depth)?;
            }
            let allowed = |usage: &usize| certificate.usage(*usage) == Some(true);
            let mut usages = self.purpose.usages().iter();
            if certificate.purpose(self.purpose.id()) == Some(false)
                || depth == 0 && certificate.usage(0).is_some() && !usages.any(allowed)
            {
                charge(bear, INVALID_PURPOSE, depth)?;
            }
            let limit = certificate.constraints().and_then(|(_, limit)| limit);
            if depth > 1 && limit.is_some_and(|limit| below > limit) {
                charge(bear, PATH_TOO_LONG, depth)?;
            }
            if depth > 0 && !certificate.is_self_issued() {
                below += 1;
            }
        }
        Ok(())
    }

    fn revocation(
        &self,
        path: &[Certificate<'_>],
        lists: &[Arc<[u8]>],
        bear: Bear<'_>,
    ) -> Result<(), Refused> {
        for (depth, certificate) in path.iter().enumerate() {
            let issuer = path.get(depth + 1).unwrap_or(certificate);
            let own = lists
                .iter()
                .filter_map(|der| RevocationList::read(der))
                .filter(|list| list.issuer == certificate.issuer)
                .max_by_key(|list| list.this_update);
            let Some(list) = own else {
                charge(bear, NO_LIST, depth)?;
                continue;
            };
            if !is_issuer(issuer, certificate) {
                charge(bear, NO_LIST_ISSUER, depth)?;
            }
            if issuer.usage(CRL_SIGN) == Some(false) {
                charge(bear, MAY_NOT_SIGN_LISTS, depth)?;
            }
            if !self.is_signed(issuer, list.signed) && !is_signed_as_of_old(issuer, &list) {
                charge(bear, LIST_SIGNATURE, depth)?;
            }
            if list.this_update > self.now {
                charge(bear, LIST_TOO_NEW, depth)?;
            }
            if list.next_update.is_some_and(|next| next < self.now) {
                charge(bear, LIST_TOO_OLD, depth)?;
            }
            if list.is_special() {
                charge(bear, UNHANDLED_LIST_EXTENSION, depth)?;
            }
            if list
                .revoked()
                .any(|(serial, _)| serial == certificate.serial)
            {
                charge(bear, REVOKED, depth)?;
            }
        }
        Ok(())
    }

    fn signatures(&self, path: &[Certificate<'_>], bear: Bear<'_>) -> Result<(), Refused> {
        let top = path[path.len() - 1];
        let complete = is_issuer(&top, &top);
        if !complete && path.len() == 1 {
            return charge(bear, UNVERIFIED_LEAF, 0);
        }
        for depth in (0..path.len()).rev() {
            let certificate = &path[depth];
            match path.get(depth + 1) {
                // What an authority says of itself proves nothing, and a path without end was charged already.
                None if !complete => continue,
                Some(issuer) if !self.is_signed(issuer, certificate.signed) => {
                    charge(bear, SIGNATURE, depth)?;
                }
                None | Some(_) => {}
            }
            if certificate.not_before > self.now {
                charge(bear, NOT_YET_VALID, depth)?;
            }
            if certificate.not_after < self.now {
                charge(bear, EXPIRED, depth)?;
            }
        }
        Ok(())
    }

    fn is_signed(&self, issuer: &Certificate<'_>, signed: Signed<'_>) -> bool {
        is_signed(&self.algorithms, issuer, signed)
    }
}

/// Whether this body has this issuer's signature, made by this algorithm.
pub(super) fn is_signed(
    algorithms: &WebPkiSupportedAlgorithms,
    issuer: &Certificate<'_>,
    signed: Signed<'_>,
) -> bool {
    algorithms.all.iter().any(|own| {
        own.signature_alg_id().as_ref() == signed.algorithm
            && own.public_key_alg_id().as_ref() == issuer.key_algorithm
            && own
                .verify_signature(issuer.key, signed.body, signed.signature)
                .is_ok()
    })
}

/// Whether a list is signed by RSA with SHA-1. Lists come from the operator, not from the peer, and old authorities sign them so to this day.
fn is_signed_as_of_old(issuer: &Certificate<'_>, list: &RevocationList<'_>) -> bool {
    let scheme = &ring::signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY;
    let key = ring::signature::UnparsedPublicKey::new(scheme, issuer.key);
    list.signed.algorithm == RSA_SHA1
        && issuer.key_algorithm == RSA_KEY
        && key.verify(list.signed.body, list.signed.signature).is_ok()
}

/// 1.2.840.113549.1.1.5, without parameters.
const RSA_SHA1: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5, 5, 0];
/// 1.2.840.113549.1.1.1, without parameters.
const RSA_KEY: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

/// Whether the one may have issued the other, by what both say.
fn is_issuer(issuer: &Certificate<'_>, certificate: &Certificate<'_>) -> bool {
    issuer.subject == certificate.issuer
        && match (certificate.authority_key(), issuer.subject_key()) {
            (Some(wanted), Some(own)) => wanted == own,
            _ => true,
        }
}

/// Whether it may issue others. Roots of the first version may, for they could not say so.
fn is_authority(certificate: &Certificate<'_>) -> bool {
    if certificate.usage(CERT_SIGN) == Some(false) {
        return false;
    }
    match certificate.constraints() {
        Some((is_authority, _)) => is_authority,
        None if certificate.version == 1 => certificate.is_self_issued(),
        None => certificate.usage(CERT_SIGN) == Some(true),
    }
}

/// Extensions that are looked at, or that change nothing.
const HANDLED: &[&[u8]] = &[
    oid::SUBJECT_KEY,
    oid::KEY_USAGE,
    oid::ALTERNATIVE_NAMES,
    oid::BASIC_CONSTRAINTS,
    oid::NAME_CONSTRAINTS,
    oid::POLICIES,
    oid::AUTHORITY_KEY,
    oid::EXTENDED_USAGE,
];

const DIGITAL_SIGNATURE: usize = 0;
const KEY_ENCIPHERMENT: usize = 2;
const KEY_AGREEMENT: usize = 4;
const CERT_SIGN: usize = 5;
const CRL_SIGN: usize = 6;

pub(super) const UNSPECIFIED: u16 = 1;
const NO_ISSUER: u16 = 2;
const NO_LIST: u16 = 3;
const SIGNATURE: u16 = 7;
const LIST_SIGNATURE: u16 = 8;
pub(super) const NOT_YET_VALID: u16 = 9;
pub(super) const EXPIRED: u16 = 10;
const LIST_TOO_NEW: u16 = 11;
const LIST_TOO_OLD: u16 = 12;
const SELF_SIGNED_LEAF: u16 = 18;
const SELF_SIGNED_IN_CHAIN: u16 = 19;
const NO_LOCAL_ISSUER: u16 = 20;
const UNVERIFIED_LEAF: u16 = 21;
const CHAIN_TOO_LONG: u16 = 22;
pub(super) const REVOKED: u16 = 23;
const PATH_TOO_LONG: u16 = 25;
pub(super) const INVALID_PURPOSE: u16 = 26;
const NO_LIST_ISSUER: u16 = 33;
pub(super) const UNHANDLED_EXTENSION: u16 = 34;
const MAY_NOT_SIGN_LISTS: u16 = 35;
const UNHANDLED_LIST_EXTENSION: u16 = 36;
const INVALID_AUTHORITY: u16 = 79;
