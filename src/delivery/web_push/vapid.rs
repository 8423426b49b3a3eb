//! Who we are to push services (RFC 8292): a key of this instance, made when it is first needed, and a token for each
//! service that it signs.

use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use lettre::message::Mailbox;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::json;
use tokio::sync::OnceCell;
use url::Url;

use crate::app::App;
use crate::db::Db;
use crate::db::entities::setting;

const KEY_SETTING: &str = "vapid_key";
/// How long a token is good; services take a day at most.
const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// The instance's key, once it was needed.
#[derive(Default)]
pub struct Vapid(OnceCell<EcdsaKeyPair>);

impl std::fmt::Debug for Vapid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vapid(secret)")
    }
}

impl Vapid {
    /// The public key as browsers want it: a point in base64url.
    pub async fn public_key(&self, db: &Db) -> anyhow::Result<String> {
        Ok(URL_SAFE_NO_PAD.encode(self.key(db).await?.public_key().as_ref()))
    }

    /// The `Authorization` of a message to an endpoint.
    pub async fn authorization(&self, app: &App, endpoint: &Url) -> anyhow::Result<String> {
        let key = self.key(&app.db).await?;
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({
            "aud": endpoint.origin().ascii_serialization(),
            "exp": (app.clock.now() + LIFETIME).0.div_euclid(1_000),
            "sub": subject(app),
        });
        let token = format!("{}.{}", part(json!({ "typ": "JWT", "alg": "ES256" })), part(claims));
        let signature = key
            .sign(&SystemRandom::new(), token.as_bytes())
            .map_err(|_| anyhow::anyhow!("signing a token failed"))?;
        let signature = URL_SAFE_NO_PAD.encode(signature.as_ref());
        let public = URL_SAFE_NO_PAD.encode(key.public_key().as_ref());
        Ok(format!("vapid t={token}.{signature},k={public}"))
    }

    async fn key(&self, db: &Db) -> anyhow::Result<&EcdsaKeyPair> {
        self.0.get_or_try_init(|| load(db)).await
    }
}

/// Whom a push service can ask about us.
fn subject(app: &App) -> String {
    if app.config.is_https() {
        return app.config.url("");
    }
    let sender = app.config.mail_from.parse::<Mailbox>().ok();
    format!("mailto:{}", sender.map(|sender| sender.email.to_string()).unwrap_or_default())
}

/// Reads the instance's key, making it the first time. Of two nodes that make one, the first is kept.
async fn load(db: &Db) -> anyhow::Result<EcdsaKeyPair> {
    let random = SystemRandom::new();
    let known = setting::Entity::find_by_id(KEY_SETTING).one(db.read()).await?;
    let known = match known {
        Some(row) => row,
        None => {
            let fresh = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
                .map_err(|_| anyhow::anyhow!("making a key failed"))?;
            let row = setting::ActiveModel {
                name: Set(KEY_SETTING.into()),
                value: Set(STANDARD.encode(fresh.as_ref())),
            };
            setting::Entity::insert(row)
                .on_conflict_do_nothing_on([setting::Column::Name])
                .exec(db.write())
                .await?;
            let row = setting::Entity::find_by_id(KEY_SETTING).one(db.write()).await?;
            row.context("the key that was just written")?
        }
    };
    let bytes = STANDARD.decode(known.value).context("reading the key of web push")?;
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &bytes, &random)
        .map_err(|error| anyhow::anyhow!("reading the key of web push: {error}"))
}
