//! Answers packed for their way: which packing a client takes, copies made with as much effort as they are worth, and
//! the tags by which a client names what it has.
//!
//! What is not packed here, because it is for one reader only, is packed while it is sent (`routes::sent`).

use std::io::Write;

use axum::http::{HeaderMap, HeaderValue, Response, header};

/// How the bytes of an answer are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Packing {
    Plain,
    Gzip,
    Zstd,
    Brotli,
}

/// What a copy may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// It is made once and given out for as long as this process lives.
    Once,
    /// Its first reader waits for it.
    Waited,
}

impl Packing {
    /// Those that there are, the tightest first.
    pub const ALL: [Self; 3] = [Self::Brotli, Self::Zstd, Self::Gzip];

    /// As `Content-Encoding` calls it.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
            Self::Brotli => Some("br"),
        }
    }

    /// What a client likes best, and of those that it likes alike the tightest (`Accept-Encoding`, RFC 9110).
    pub fn accepted(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        let wishes: Vec<(&str, f32)> = values.flat_map(|value| value.split(',')).filter_map(wish).collect();
        let liking = |name: &str| {
            wishes.iter().find(|(wished, _)| wished.eq_ignore_ascii_case(name)).map_or(0.0, |wish| wish.1)
        };
        let mut best = (Self::Plain, liking("identity"));
        for packing in Self::ALL.into_iter().rev() {
            let liked = liking(packing.name().unwrap_or_default());
            if liked > 0.0 && liked >= best.1 {
                best = (packing, liked);
            }
        }
        best.0
    }

    /// A copy; none where it would not be smaller.
    pub fn pack(self, bytes: &[u8], effort: Effort) -> Option<Vec<u8>> {
        let packed = match self {
            Self::Plain => return None,
            Self::Gzip => gzip(bytes, if effort == Effort::Once { 9 } else { 6 }),
            Self::Zstd => zstd::bulk::compress(bytes, if effort == Effort::Once { 19 } else { 6 }),
            Self::Brotli => brotli(bytes, if effort == Effort::Once { 11 } else { 5 }),
        };
        match packed {
            Ok(packed) => Some(packed).filter(|packed| packed.len() < bytes.len()),
            Err(error) => {
                tracing::error!("packing an answer ({self:?}) failed: {error}");
                None
            }
        }
    }

    /// Names a copy by the tag of what it holds: a strong tag names bytes, so each copy has its own.
    pub fn tag(self, tag: &str) -> String {
        match (self.name(), tag.strip_suffix('"')) {
            (Some(name), Some(begun)) if !tag.starts_with("W/") => format!("{begun}-{name}\""),
            _ => tag.to_owned(),
        }
    }

    /// Says of an answer that its body is this copy, one of several.
    pub fn mark(self, headers: &mut HeaderMap) {
        let vary = HeaderValue::from_static("accept-encoding");
        if headers.get_all(header::VARY).iter().all(|value| *value != vary) {
            headers.append(header::VARY, vary);
        }
        let Some(name) = self.name() else { return };
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
        headers.remove(header::CONTENT_LENGTH);
        let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(|tag| self.tag(tag));
        if let Some(tag) = tag.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
            headers.insert(header::ETAG, tag);
        }
    }
}

/// `br;q=0.5` as a name and how much it is liked.
fn wish(part: &str) -> Option<(&str, f32)> {
    let (name, quality) = part.split_once(';').unwrap_or((part, "q=1"));
    let quality = quality.trim().strip_prefix("q=").or_else(|| quality.trim().strip_prefix("Q="))?;
    let quality = quality.trim().parse().ok()?;
    (0.0..=1.0).contains(&quality).then_some((name.trim(), quality))
}

fn gzip(bytes: &[u8], level: u32) -> std::io::Result<Vec<u8>> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
    packer.write_all(bytes)?;
    packer.finish()
}

fn brotli(bytes: &[u8], quality: u32) -> std::io::Result<Vec<u8>> {
    /// A window of 256 KB, which holds nearly every page; a larger one costs memory that has to be cleared.
    const WINDOW: u32 = 18;
    let mut packer = brotli::CompressorWriter::new(Vec::new(), 4_096, quality, WINDOW);
    packer.write_all(bytes)?;
    Ok(packer.into_inner())
}

/// The tag by which a client says that it has what `tag` names (`If-None-Match`), packed in whatever way: it keeps
/// with its copy how that is packed.
pub fn known<'a>(headers: &'a HeaderMap, tag: &'a str) -> Option<&'a str> {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut named = values.flat_map(|value| value.split(',')).map(str::trim);
    named.find(|one| *one == "*" || bare(one) == bare(tag)).map(|one| if one == "*" { tag } else { one })
}

/// A tag without what says how it was packed, and that it is weak.
fn bare(tag: &str) -> &str {
    let tag = tag.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
    let names = Packing::ALL.iter().filter_map(|packing| packing.name());
    let packed = |name: &'static str| tag.strip_suffix(name).and_then(|rest| rest.strip_suffix('-'));
    names.filter_map(packed).next().unwrap_or(tag)
}

/// Makes the tag of an answer weak that was packed while it was sent: the same page may be packed differently
/// another time.
pub fn weaken<B>(mut response: Response<B>) -> Response<B> {
    let headers = response.headers();
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if let (Some(name), Some(tag)) = (text(header::CONTENT_ENCODING), text(header::ETAG))
        && !tag.starts_with("W/")
        && !tag.ends_with(&format!("-{name}\""))
        && let Ok(weak) = HeaderValue::from_str(&format!("W/{tag}"))
    {
        response.headers_mut().insert(header::ETAG, weak);
    }
    response
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn accepting(wishes: &str) -> Packing {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, wishes.parse().unwrap());
        Packing::accepted(&headers)
    }

    #[test]
    fn a_client_gets_what_it_likes_best_and_else_the_tightest() {
        for (wishes, packing) in [
            ("gzip, deflate, br, zstd", Packing::Brotli),
            ("zstd, gzip", Packing::Zstd),
            ("gzip, br;q=0.5", Packing::Gzip),
            ("GZIP", Packing::Gzip),
            ("br;q=0, gzip ;q=0.2", Packing::Gzip),
            ("br;q=0.3, identity", Packing::Plain),
            ("identity;q=0.5, br;q=0.5", Packing::Brotli),
            ("deflate, compress", Packing::Plain),
            ("br;q=much", Packing::Plain),
            ("br;q=2, gzip", Packing::Gzip),
            ("br;level=1", Packing::Plain),
            ("*", Packing::Plain),
            ("", Packing::Plain),
        ] {
            assert_eq!(accepting(wishes), packing, "{wishes}");
        }
        assert_eq!(Packing::accepted(&HeaderMap::new()), Packing::Plain);
    }

    #[test]
    fn a_copy_holds_what_was_packed() {
        let text = "台风今晚登陆，渔船回港。".repeat(500);
        for effort in [Effort::Waited, Effort::Once] {
            for packing in Packing::ALL {
                let packed = packing.pack(text.as_bytes(), effort).unwrap();
                let mut reader: Box<dyn Read> = match packing {
                    Packing::Plain => unreachable!(),
                    Packing::Gzip => Box::new(flate2::read::GzDecoder::new(&*packed)),
                    Packing::Zstd => Box::new(zstd::Decoder::new(&*packed).unwrap()),
                    Packing::Brotli => Box::new(brotli::Decompressor::new(&*packed, 4_096)),
                };
                let mut read = String::new();
                reader.read_to_string(&mut read).unwrap();
                assert_eq!(read, text, "{packing:?}");
                assert!(packed.len() * 20 < text.len(), "{packing:?}: {}", packed.len());
            }
        }
        assert_eq!(Packing::Gzip.pack(b"short", Effort::Once), None, "it would be longer");
    }

    #[test]
    fn a_tag_is_known_however_its_copy_was_packed() {
        assert_eq!(Packing::Brotli.tag("\"abc\""), "\"abc-br\"");
        assert_eq!(Packing::Brotli.tag("W/\"abc\""), "W/\"abc\"");
        assert_eq!(Packing::Plain.tag("\"abc\""), "\"abc\"");
        let named = |tags: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, tags.parse().unwrap());
            known(&headers, "\"abc\"").map(str::to_owned)
        };
        for (tags, tag) in [
            ("\"abc\"", "\"abc\""),
            ("W/\"abc\"", "W/\"abc\""),
            ("\"x\", \"abc-br\"", "\"abc-br\""),
            ("\"abc-zstd\"", "\"abc-zstd\""),
            ("W/\"abc-gzip\"", "W/\"abc-gzip\""),
            ("*", "\"abc\""),
        ] {
            assert_eq!(named(tags).as_deref(), Some(tag), "{tags}");
        }
        for tags in ["\"ab\"", "\"abc-\"", "\"abc-tar\"", "", "\"-br\""] {
            assert_eq!(named(tags), None, "{tags}");
        }
        assert_eq!(known(&HeaderMap::new(), "\"abc\""), None);
    }

    #[test]
    fn what_is_packed_on_the_way_has_a_weak_tag() {
        let tag = |encoding: &str, tag: &str| {
            let response = Response::builder().header("content-encoding", encoding).header("etag", tag);
            weaken(response.body(()).unwrap()).headers()["etag"].to_str().unwrap().to_owned()
        };
        assert_eq!(tag("br", "\"abc\""), "W/\"abc\"");
        assert_eq!(tag("br", "\"abc-br\""), "\"abc-br\"");
        assert_eq!(tag("br", "W/\"abc\""), "W/\"abc\"");
        let plain = Response::builder().header("etag", "\"abc\"").body(()).unwrap();
        assert_eq!(weaken(plain).headers()["etag"], "\"abc\"");
    }
}
