//! Client certificates of X.509 version 1, which `openssl x509 -req` makes without extensions, and which API servers and kubectl
//! accept.
//!
//! The library for TLS compares the key of a client with its certificate, which it cannot read when it has version 1. The server
//! makes the same comparison when the client signs, so it may be left out here; it is made as long as it can be, for its better
//! message.

use rustls::crypto::{CryptoProvider, KeyProvider, ring};
use rustls::pki_types::{PrivateKeyDer, SubjectPublicKeyInfoDer};
use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether keys keep their public part to themselves, so that nothing is compared. It stays so once a kubeconfig needed it.
static HIDES_PUBLIC_KEYS: AtomicBool = AtomicBool::new(false);

/// Loads private keys as [`ring`] does.
#[derive(Debug)]
struct Keys;

#[derive(Debug)]
struct Key(Arc<dyn SigningKey>);

impl KeyProvider for Keys {
    fn load_private_key(&self, key: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        let provider = ring::default_provider().key_provider;
        Ok(Arc::new(Key(provider.load_private_key(key)?)))
    }
}

impl SigningKey for Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        self.0.choose_scheme(offered)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        if HIDES_PUBLIC_KEYS.load(Ordering::Relaxed) { None } else { self.0.public_key() }
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }
}

/// Makes what may fail because of the version of a certificate, and makes it again without the comparison when it did. `reason`
/// is the text of an error with all its causes.
///
/// # Errors
/// Those of `make`.
pub(super) fn with_any_version<T, E>(
    mut make: impl FnMut() -> Result<T, E>,
    reason: impl Fn(&E) -> String,
) -> Result<T, E> {
    // Who embeds this crate may have chosen a provider, which then stays.
    drop(CryptoProvider { key_provider: &Keys, ..ring::default_provider() }.install_default());
    match make() {
        Err(error) if reason(&error).contains("UnsupportedCertVersion") => {
            HIDES_PUBLIC_KEYS.store(true, Ordering::Relaxed);
            make()
        }
        other => other,
    }
}
