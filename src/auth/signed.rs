//! What the instance's secret key does: signed links, a value and a signature over it, for those who act from
//! a mail without signing in; and secrets sealed in the database.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait};
use sha2::Sha256;

use crate::db::Db;
use crate::db::entities::setting;

const KEY_SETTING: &str = "secret_key";

/// Signs and checks values with the instance's secret key.
#[derive(Clone)]
pub struct Signer {
    key: Vec<u8>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(secret)")
    }
}

impl Signer {
    /// Reads the instance's key, making it on the first start.
    pub async fn load(db: &Db) -> Result<Self, DbErr> {
        let fresh = setting::ActiveModel {
            name: Set(KEY_SETTING.into()),
            value: Set(hex::encode(rand::random::<[u8; 32]>())),
        };
        setting::Entity::insert(fresh)
            .on_conflict_do_nothing_on([setting::Column::Name])
            .exec(db.write())
            .await?;
        let row = setting::Entity::find_by_id(KEY_SETTING)
            .one(db.write())
            .await?
            .ok_or_else(|| DbErr::RecordNotFound(KEY_SETTING.into()))?;
        Ok(Self { key: row.value.into_bytes() })
    }

    /// `value.signature`, good for `purpose` only. The value must be made of URL-safe characters.
    pub fn sign(&self, purpose: &str, value: &str) -> String {
        format!("{value}.{}", URL_SAFE_NO_PAD.encode(self.mac(purpose, value)))
    }

    /// The value of a signed string, if its signature is ours and for `purpose`.
    pub fn verify<'a>(&self, purpose: &str, signed: &'a str) -> Option<&'a str> {
        use subtle::ConstantTimeEq;
        let (value, signature) = signed.rsplit_once('.')?;
        let given = URL_SAFE_NO_PAD.decode(signature).ok()?;
        bool::from(given.ct_eq(&self.mac(purpose, value))).then_some(value)
    }

    /// A short signature of a value for `purpose`, in lower case letters and digits: 80 bits.
    pub fn tag(&self, purpose: &str, value: &str) -> String {
        hex::encode(&self.mac(purpose, value)[..10])
    }

    /// Seals a secret for `purpose`, to be kept in the database: AES-256-GCM with a key made of the instance's.
    pub fn seal(&self, purpose: &str, secret: &str) -> String {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut bytes = secret.as_bytes().to_vec();
        self.sealing_key(purpose)
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut bytes)
            .expect("a secret is far shorter than 64 GB");
        URL_SAFE_NO_PAD.encode([nonce.as_slice(), &bytes].concat())
    }

    /// The secret that was sealed; none if it was not by this instance, or for another purpose.
    pub fn open(&self, purpose: &str, sealed: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let secret = self.sealing_key(purpose).open_in_place(nonce, Aad::empty(), &mut sealed).ok()?;
        String::from_utf8(secret.to_vec()).ok()
    }

    fn sealing_key(&self, purpose: &str) -> LessSafeKey {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(b"seal\0");
        mac.update(purpose.as_bytes());
        let key = UnboundKey::new(&AES_256_GCM, &mac.finalize().into_bytes());
        LessSafeKey::new(key.expect("a digest is as long as a key"))
    }

    /// The first 128 bits of an HMAC-SHA256.
    fn mac(&self, purpose: &str, value: &str) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(purpose.as_bytes());
        mac.update(b"\0");
        mac.update(value.as_bytes());
        mac.finalize().into_bytes()[..16].to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_opened_by_the_same_key_for_the_same_purpose() {
        let (ours, other) = (Signer { key: vec![1; 32] }, Signer { key: vec![2; 32] });
        let sealed = ours.seal("a", "密钥");
        assert_eq!(ours.open("a", &sealed).as_deref(), Some("密钥"));
        assert_ne!(ours.seal("a", "密钥"), sealed);
        assert_eq!((ours.open("b", &sealed), other.open("a", &sealed)), (None, None));
        for wrong in ["", "AAAA", &sealed[1..], "密"] {
            assert_eq!(ours.open("a", wrong), None);
        }
    }
}
