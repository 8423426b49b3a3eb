//! Messages that only one browser can read (RFC 8291, in the form of RFC 8188: `aes128gcm`, one record).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{self, ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey};
use ring::hkdf::{self, HKDF_SHA256, KeyType, Salt};
use ring::rand::{SecureRandom, SystemRandom};

/// A point of P-256, uncompressed.
const POINT: usize = 65;
const AUTH: usize = 16;
const SALT: usize = 16;
/// The size of a record; push services take 4,096 bytes in all.
const RECORD: u32 = 4_096;
/// The longest text that fits: the record without its head, its padding mark and its tag.
pub const LONGEST: usize = 4_096 - (SALT + 4 + 1 + POINT) - 1 - 16;

/// What a browser has given us to write to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    point: [u8; POINT],
    auth: [u8; AUTH],
}

impl Keys {
    /// Reads them as browsers write them, in base64url with or without padding.
    pub fn parse(public_key: &str, auth: &str) -> Option<Self> {
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text.trim().trim_end_matches('=')).ok();
        let point: [u8; POINT] = bytes(public_key)?.try_into().ok()?;
        let keys = Self { point, auth: bytes(auth)?.try_into().ok()? };
        // A point that is not on the curve is found out by trying.
        let random = SystemRandom::new();
        let own = EphemeralPrivateKey::generate(&ECDH_P256, &random).ok()?;
        let theirs = UnparsedPublicKey::new(&ECDH_P256, keys.point);
        agreement::agree_ephemeral(own, &theirs, |_| ()).ok()?;
        Some(keys)
    }

    /// As a row keeps them: the point and the secret.
    pub fn write(&self) -> (String, String) {
        (URL_SAFE_NO_PAD.encode(self.point), URL_SAFE_NO_PAD.encode(self.auth))
    }
}

/// A text for a browser; none where it is too long or the browser's key makes no sense.
pub fn encrypt(text: &[u8], keys: &Keys) -> Option<Vec<u8>> {
    if text.len() > LONGEST {
        return None;
    }
    let random = SystemRandom::new();
    let mut salt = [0; SALT];
    random.fill(&mut salt).ok()?;
    let own = EphemeralPrivateKey::generate(&ECDH_P256, &random).ok()?;
    let own_point: [u8; POINT] = own.compute_public_key().ok()?.as_ref().try_into().ok()?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, keys.point);
    agreement::agree_ephemeral(own, &theirs, |secret| seal(text, secret, keys, &own_point, salt)).ok()?
}

/// The length of what is derived.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive<const N: usize>(salt: &[u8], secret: &[u8], info: &[&[u8]]) -> Option<[u8; N]> {
    let mut derived = [0; N];
    let key: hkdf::Prk = Salt::new(HKDF_SHA256, salt).extract(secret);
    key.expand(info, Length(N)).ok()?.fill(&mut derived).ok()?;
    Some(derived)
}

fn seal(
    text: &[u8],
    secret: &[u8],
    keys: &Keys,
    own_point: &[u8; POINT],
    salt: [u8; SALT],
) -> Option<Vec<u8>> {
    let both = derive::<32>(&keys.auth, secret, &[b"WebPush: info\0", &keys.point, own_point])?;
    let key = derive::<16>(&salt, &both, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce = derive::<12>(&salt, &both, &[b"Content-Encoding: nonce\0"])?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).ok()?);
    // The mark of the last record.
    let mut sealed = [text, &[2]].concat();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed).ok()?;
    let mut message = Vec::with_capacity(SALT + 5 + POINT + sealed.len());
    message.extend_from_slice(&salt);
    message.extend_from_slice(&RECORD.to_be_bytes());
    message.push(POINT as u8);
    message.extend_from_slice(own_point);
    message.extend_from_slice(&sealed);
    Some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
    }

    #[test]
    fn the_example_of_rfc_8291_comes_out_byte_by_byte() {
        let keys = Keys::parse(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "BTBZMqHH6r4Tts7J_aSIgg",
        );
        let own =
            bytes("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
        let secret: [u8; 32] = bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
        let text = b"When I grow up, I want to be a watermelon";
        let message = seal(text, &secret, &keys.unwrap(), &own, bytes("DGv6ra1nlYgDCS1FRnbzlw")).unwrap();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(message),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8\
             wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        let auth = "BTBZMqHH6r4Tts7J_aSIgg";
        let point = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
        assert!(Keys::parse(&format!("{point}="), &format!("{auth}==")).is_some());
        // Not on the curve.
        let other = point.replace("iw4", "iw8");
        for (point, auth) in [(point, "AAAA"), ("AAAA", auth), (other.as_str(), auth), ("", ""), ("!", "!")] {
            assert_eq!(Keys::parse(point, auth), None, "{point} {auth}");
        }
    }

    #[test]
    fn the_longest_text_makes_the_largest_message_that_services_take() {
        let point = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
        let keys = Keys::parse(point, "BTBZMqHH6r4Tts7J_aSIgg").unwrap();
        assert_eq!(encrypt(&[b'x'; LONGEST], &keys).unwrap().len(), 4_096);
        assert_eq!(encrypt(&[b'x'; LONGEST + 1], &keys), None);
    }
}
