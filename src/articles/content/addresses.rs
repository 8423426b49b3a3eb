//! Addresses of this site in bodies: written without its name, so that the site can move.

use super::plain::tag_end;

/// Whether an address is that of a picture that was uploaded to this site.
pub fn is_uploaded(value: &str) -> bool {
    value.strip_prefix("/media/").is_some_and(|key| {
        key.len() <= 200
            && key.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'-' | b'_'))
    })
}

/// Sanitised HTML for use outside of this site: paths become addresses below `base_url`, which has
/// no slash at its end.
pub fn absolute(html: &str, base_url: &str) -> String {
    let mut out = String::with_capacity(html.len() + html.len() / 16);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = tag_end(rest).map_or(rest.len(), |end| end + 1);
        push_tag(&mut out, &rest[..end], base_url);
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// Attributes are written in double quotes, and none holds one: what looks like an attribute is one.
fn push_tag(out: &mut String, tag: &str, base_url: &str) {
    const ADDRESSES: [&str; 3] = [" src=\"/", " href=\"/", " poster=\"/"];
    let mut rest = tag;
    while let Some((at, name)) = ADDRESSES.iter().filter_map(|name| Some((rest.find(name)?, name))).min() {
        let path = at + name.len() - 1;
        out.push_str(&rest[..path]);
        if !rest[path..].starts_with("//") {
            out.push_str(base_url);
        }
        out.push('/');
        rest = &rest[path + 1..];
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_in_attributes_are_made_absolute() {
        let html = r##"<p>写作 <code>&lt;img src="/media/1/a.jpg"&gt;</code></p><p><a href="/@a/b" rel="x">b</a><a href="#text-1">c</a><a href="https://e.test/">d</a><img src="/media/1/a.jpg" alt="a > b"><video src="https://e.test/v" poster="/media/1/b.jpg"></video></p>"##;
        let expected = r##"<p>写作 <code>&lt;img src="/media/1/a.jpg"&gt;</code></p><p><a href="https://x.test/@a/b" rel="x">b</a><a href="#text-1">c</a><a href="https://e.test/">d</a><img src="https://x.test/media/1/a.jpg" alt="a > b"><video src="https://e.test/v" poster="https://x.test/media/1/b.jpg"></video></p>"##;
        assert_eq!(absolute(html, "https://x.test"), expected);
        assert_eq!(absolute("甲", "https://x.test"), "甲");
    }

    #[test]
    fn an_uploaded_picture_has_a_plain_path() {
        assert!(is_uploaded("/media/1/0123456789abcdef0123456789abcdef.jpg"));
        for other in [
            "/media/",
            "/media",
            "/mediaeval/x.jpg",
            "/media//evil.test/x.jpg",
            "/media/../sign-out",
            "/media/%2e%2e/sign-out",
            "/media/1/.x",
            "/media/1\\x.jpg",
            "/media/1/x.jpg?x",
            "//media/1/x.jpg",
            "https://e.test/media/1/x.jpg",
        ] {
            assert!(!is_uploaded(other), "{other}");
        }
    }
}
