//! Signed links: a value and a signature over it with the instance's secret key, for those who act
//! from a mail without signing in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
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

    /// The first 128 bits of an HMAC-SHA256.
    fn mac(&self, purpose: &str, value: &str) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(purpose.as_bytes());
        mac.update(b"\0");
        mac.update(value.as_bytes());
        mac.finalize().into_bytes()[..16].to_vec()
    }
}
