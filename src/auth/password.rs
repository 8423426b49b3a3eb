//! Passwords: argon2id, on blocking threads, few at a time because each takes 19 MiB and a core.

use std::sync::LazyLock;

use anyhow::{Context, anyhow};
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

use super::Address;
use crate::error::{Error, Message};

/// Shorter ones are guessed too fast. Counted in characters, so four Chinese words are not enough either.
pub const SHORTEST: usize = 10;
/// Longer ones only cost time.
pub const LONGEST: usize = 200;
/// A password of fewer different characters is one key held down.
const FEWEST_DIFFERENT: usize = 4;

/// One hashing per core; the others wait.
static TURNS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from)));

/// A hash of no password, checked when nobody has the given address so that it takes the same time.
static NOBODYS: LazyLock<String> = LazyLock::new(|| {
    Argon2::default().hash_password(&rand::random::<[u8; 32]>()).expect("random bytes are hashed").to_string()
});

/// A password that may be chosen: NFKC, since one keyboard types `é` in one piece and another in two.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(secret)")
    }
}

impl Password {
    /// Takes what was chosen as the password of `address`.
    ///
    /// # Errors
    /// With the message to show beside the field.
    pub fn parse(text: &str, address: &str) -> Result<Self, Message> {
        let password: String = normal(text);
        let length = password.chars().count();
        if length < SHORTEST {
            return Err(Message::from("auth-password-short").with("least", SHORTEST));
        }
        if length > LONGEST {
            return Err(Message::from("auth-password-long").with("most", LONGEST));
        }
        let different: std::collections::HashSet<char> = password.chars().collect();
        if different.len() < FEWEST_DIFFERENT || is_everybodys(&password) || is_address(&password, address) {
            return Err("auth-password-easy".into());
        }
        Ok(Self(password))
    }
}

/// The ones tried first by everybody who tries passwords.
fn is_everybodys(password: &str) -> bool {
    let lower = password.to_lowercase();
    ["1234567890", "0123456789", "0987654321", "9876543210", "qwertyuiop", "1q2w3e4r5t", "abcdefghij"]
        .iter()
        .any(|known| {
            lower == *known || lower.strip_prefix(known).is_some_and(|rest| rest.chars().count() < 3)
        })
        || ["password", "woaini", "iloveyou", "xiangxun", "qwerty", "admin"].iter().any(|word| {
            lower.strip_prefix(word).is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '!'))
        })
}

fn is_address(password: &str, address: &str) -> bool {
    Address::parse(password).is_ok_and(|typed| typed.as_str() == address)
}

fn normal(text: &str) -> String {
    text.nfkc().collect()
}

/// The PHC string to keep of a password.
pub async fn hash(password: Password) -> Result<String, Error> {
    let hashed = in_turn(move || {
        let hash = Argon2::default().hash_password(password.0.as_bytes());
        hash.map(|hash| hash.to_string()).map_err(|error| anyhow!("hashing a password: {error}"))
    });
    Ok(hashed.await??)
}

/// Whether `text` is the password that `kept` is of. With nothing kept it takes the same time and says no.
pub async fn verify(text: &str, kept: Option<String>) -> Result<bool, Error> {
    if text.len() > 4 * LONGEST {
        return Ok(false);
    }
    let text = normal(text);
    let verified = in_turn(move || {
        let against = kept.as_deref().unwrap_or(&NOBODYS);
        let hash = PasswordHash::new(against).map_err(|error| anyhow!("reading a password hash: {error}"))?;
        let fits = Argon2::default().verify_password(text.as_bytes(), &hash).is_ok();
        anyhow::Ok(fits && kept.is_some())
    });
    Ok(verified.await??)
}

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> anyhow::Result<T> {
    let _turn = TURNS.acquire().await.context("waiting for a turn to hash")?;
    crate::blocking::run(work).await.context("hashing on another thread")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_counts_and_composition_does_not() {
        for good in ["correct horse battery", "月落乌啼霜满天江枫渔火", "aaaabbbbccccdddd"] {
            assert!(Password::parse(good, "a@example.org").is_ok(), "{good}");
        }
        let long = "abcdefgh ".repeat(30);
        for bad in [
            "",
            "short",
            "月落乌啼",
            "aaaaaaaaaaaa",
            "1234567890",
            "password123",
            "Reader@Example.org",
            &long,
        ] {
            assert!(Password::parse(bad, "reader@example.org").is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_password_is_known_again_in_any_form_of_its_characters() {
        let kept = hash(Password::parse("caf\u{e9} au lait", "").unwrap()).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(verify("cafe\u{301} au lait", Some(kept.clone())).await.unwrap());
        assert!(!verify("cafe au lait", Some(kept)).await.unwrap());
        assert!(!verify("anything", None).await.unwrap());
    }
}
