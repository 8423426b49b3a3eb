//! Where to go after signing in or switching language: never to another site.

use std::fmt;

/// A path on this site, with its query. Whatever else was asked for becomes `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPath(String);

/// The longest path that is gone back to.
const LONGEST: usize = 2_000;

impl LocalPath {
    /// Takes a path that a browser will resolve to this site. Browsers read `\` as `/`, drop tabs and
    /// line ends, and take what begins with two slashes for another host.
    pub fn new(path: &str) -> Self {
        let is_plain = |c: char| c.is_ascii_graphic() && c != '\\' || !c.is_ascii() && !c.is_control();
        let mut rest = path.chars();
        let is_local = rest.next() == Some('/') && rest.next() != Some('/');
        if !is_local || path.len() > LONGEST || !path.chars().all(is_plain) {
            return Self::default();
        }
        // The last word is a parser's that follows the same rules as browsers.
        let here = url::Url::parse("http://here.invalid/").expect("a constant");
        match here.join(path) {
            Ok(url) if url.origin() == here.origin() => {
                let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
                let local = format!("{}{query}", url.path());
                if local.starts_with("//") { Self::default() } else { Self(local) }
            }
            _ => Self::default(),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing better than the front page was asked for.
    pub fn is_root(&self) -> bool {
        self.0 == "/"
    }
}

impl Default for LocalPath {
    fn default() -> Self {
        Self("/".into())
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for LocalPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_this_site_are_kept() {
        for path in ["/", "/search?q=a&lang=zh-Hans", "/@daily/slug", "/settings/tokens"] {
            assert_eq!(LocalPath::new(path).as_str(), path);
        }
        assert_eq!(LocalPath::new("/search?q=乡讯").as_str(), "/search?q=%E4%B9%A1%E8%AE%AF");
    }

    #[test]
    fn other_sites_are_not_gone_to() {
        for path in [
            "",
            "evil.example",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "https://evil.example",
            "https:/evil.example",
            "javascript:alert(1)",
            "/.//evil.example",
            "/..//evil.example",
            "/a/..//evil.example",
            "/%2e//evil.example",
            "/\u{2028}/evil.example\r\nSet-Cookie: a=b",
        ] {
            assert_eq!(LocalPath::new(path).as_str(), "/", "{path:?}");
        }
        // Percent-encoded slashes stay encoded: a path of this site that does not exist.
        assert_eq!(LocalPath::new("/%2F%2Fevil.example").as_str(), "/%2F%2Fevil.example");
        assert_eq!(LocalPath::new("/%5Cevil.example").as_str(), "/%5Cevil.example");
    }
}
