//! Names of streams and items, as apps write them.

use percent_encoding::percent_decode_str;

use crate::reader_apps::shelf::FeedKey;

pub const READ: &str = "user/-/state/com.google/read";
pub const STARRED: &str = "user/-/state/com.google/starred";
pub const READING_LIST: &str = "user/-/state/com.google/reading-list";
const LABEL: &str = "user/-/label/";
const ITEM: &str = "tag:google.com,2005:reader/item/";

/// A stream, or a state or label of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stream {
    ReadingList,
    Starred,
    Read,
    /// Also as a wish: "keep it unread".
    Unread,
    Feed(FeedKey),
    FeedAt(String),
    /// A list, by its name.
    Label(String),
    /// A state that we do not keep, such as "shared".
    Other,
}

impl Stream {
    /// Reads `feed/12`, `feed/https://..`, `user/-/label/Name`, `user/-/state/com.google/starred`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(feed) = text.strip_prefix("feed/") {
            return match feed.parse() {
                Ok(number) => FeedKey::of_number(number).map(Self::Feed),
                Err(_) if feed.is_empty() => None,
                Err(_) => Some(Self::FeedAt(feed.to_owned())),
            };
        }
        // Whose state it is goes without saying: `-`, or the number of the reader.
        let (_, rest) = text.strip_prefix("user/")?.split_once('/')?;
        if let Some(name) = rest.strip_prefix("label/") {
            return (!name.trim().is_empty()).then(|| Self::Label(name.to_owned()));
        }
        Some(match rest.strip_prefix("state/com.google/")? {
            "reading-list" => Self::ReadingList,
            "starred" => Self::Starred,
            "read" => Self::Read,
            "unread" | "kept-unread" | "tracking-kept-unread" | "fresh" => Self::Unread,
            _ => Self::Other,
        })
    }

    /// The same from a path, in which apps escape once or twice.
    pub fn of_path(text: &str) -> Option<Self> {
        let text = text.trim_start_matches('/');
        let is_escaped = !text.contains('/') && (text.contains("%2F") || text.contains("%2f"));
        if is_escaped {
            return Self::parse(&percent_decode_str(text).decode_utf8_lossy());
        }
        Self::parse(text)
    }
}

pub fn feed_id(feed: FeedKey) -> String {
    format!("feed/{}", feed.number())
}

pub fn label_id(name: &str) -> String {
    format!("{LABEL}{name}")
}

/// `tag:google.com,2005:reader/item/000000000000002a`
pub fn item_id(number: i64) -> String {
    format!("{ITEM}{number:016x}")
}

/// The number of an item: `tag:google.com,2005:reader/item/` with sixteen digits to the base of 16, those alone, or
/// a number to the base of ten, as `stream/items/ids` gives it.
pub fn item_number(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Some(hex) = text.rsplit_once('/').map(|(_, hex)| hex) {
        return i64::from_str_radix(hex, 16).ok().filter(|number| *number > 0);
    }
    let is_hex =
        text.len() == 16 && text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = if is_hex { i64::from_str_radix(text, 16).ok() } else { text.parse().ok() };
    number.filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_read_as_apps_write_them() {
        let feed = FeedKey::Outside(6);
        for (text, stream) in [
            ("feed/13", Stream::Feed(feed)),
            ("feed/https://example.org/a?b=c", Stream::FeedAt("https://example.org/a?b=c".into())),
            ("user/-/label/新闻/港台", Stream::Label("新闻/港台".into())),
            ("user/1005/label/A", Stream::Label("A".into())),
            ("user/-/state/com.google/reading-list", Stream::ReadingList),
            ("user/7/state/com.google/starred", Stream::Starred),
            ("user/-/state/com.google/kept-unread", Stream::Unread),
            ("user/-/state/com.google/broadcast", Stream::Other),
        ] {
            assert_eq!(Stream::parse(text), Some(stream), "{text}");
        }
        for wrong in ["", "feed/", "feed/0", "feed/-3", "user", "user/-/label/", "user/-/state/x", "x"] {
            assert_eq!(Stream::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Stream::of_path("feed%2F13"), Some(Stream::Feed(feed)));
        assert_eq!(Stream::of_path("feed%2f13"), Some(Stream::Feed(feed)));
        assert_eq!(Stream::of_path("/feed/13"), Some(Stream::Feed(feed)));
        // What has slashes was unescaped as far as it was escaped.
        for escaped in ["https://example.org/a%2fb", "https://example.org/a%2Fb"] {
            let stream = Stream::FeedAt(escaped.into());
            assert_eq!(Stream::of_path(&format!("feed/{escaped}")), Some(stream));
        }
    }

    #[test]
    fn items_are_read_in_all_their_forms() {
        assert_eq!(item_id(42), "tag:google.com,2005:reader/item/000000000000002a");
        for text in [&*item_id(42), "000000000000002a", "42"] {
            assert_eq!(item_number(text), Some(42), "{text}");
        }
        for wrong in ["", "0", "-1", "x", "tag:google.com,2005:reader/item/", "0000000000000000"] {
            assert_eq!(item_number(wrong), None, "{wrong}");
        }
    }
}
