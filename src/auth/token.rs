//! Opaque random tokens: given out once, kept as a hash only.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A new token of 256 random bits, safe in URLs and cookies.
pub fn new() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What is kept of a token: SHA-256 in hex. A token has 256 random bits, so no salt or slow hash is needed.
pub fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
