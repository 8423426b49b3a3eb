//! Players that other sites offer as frames become links: a frame would let its site follow our
//! readers, and would need JavaScript to show anything.

use url::Url;

/// Where a player's video or other content can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embed {
    /// The page to link to.
    pub page: String,
    /// The provider's name, or the host of one that we do not know.
    pub provider: String,
    pub is_video: bool,
}

impl Embed {
    /// What a frame with this source shows.
    pub fn of(source: &Url) -> Self {
        match video_page(source) {
            Some((provider, page)) => Self { page, provider: provider.to_owned(), is_video: true },
            None => Self {
                page: source.to_string(),
                provider: source.host_str().unwrap_or_default().trim_start_matches("www.").to_owned(),
                is_video: false,
            },
        }
    }
}

fn video_page(source: &Url) -> Option<(&'static str, String)> {
    match source.host_str()?.trim_start_matches("www.").trim_start_matches("m.") {
        "youtube.com" | "youtube-nocookie.com" | "youtu.be" => Some(("YouTube", youtube(source)?)),
        "player.bilibili.com" | "bilibili.com" => Some(("Bilibili", bilibili(source)?)),
        "player.vimeo.com" | "vimeo.com" => {
            let id =
                segments(source).into_iter().rev().find(|part| part.bytes().all(|b| b.is_ascii_digit()))?;
            Some(("Vimeo", format!("https://vimeo.com/{id}")))
        }
        "v.qq.com" => {
            let id =
                query(source, "vid").or_else(|| last_segment(source)?.strip_suffix(".html").and_then(id))?;
            Some(("腾讯视频", format!("https://v.qq.com/x/page/{id}.html")))
        }
        "player.youku.com" => {
            let id = id(last_segment(source)?.trim_end_matches("=="))?;
            Some(("优酷", format!("https://v.youku.com/v_show/id_{id}.html")))
        }
        _ => None,
    }
}

fn youtube(source: &Url) -> Option<String> {
    let parts = segments(source);
    let video = match parts.as_slice() {
        ["watch", ..] => query(source, "v"),
        ["embed", "videoseries", ..] | ["playlist", ..] => {
            return query(source, "list").map(|list| format!("https://www.youtube.com/playlist?list={list}"));
        }
        ["embed" | "v" | "shorts" | "live", video, ..] => id(video),
        [video] if source.host_str() == Some("youtu.be") => id(video),
        _ => None,
    }?;
    Some(format!("https://www.youtube.com/watch?v={video}"))
}

fn bilibili(source: &Url) -> Option<String> {
    let video = query(source, "bvid")
        .or_else(|| query(source, "aid").map(|aid| format!("av{aid}")))
        .or_else(|| match segments(source).as_slice() {
            ["video", video, ..] => id(video),
            _ => None,
        })?;
    Some(format!("https://www.bilibili.com/video/{video}"))
}

fn segments(source: &Url) -> Vec<&str> {
    source.path_segments().map(|parts| parts.filter(|part| !part.is_empty()).collect()).unwrap_or_default()
}

fn last_segment(source: &Url) -> Option<&str> {
    segments(source).pop()
}

fn query(source: &Url, name: &str) -> Option<String> {
    source.query_pairs().find(|(key, _)| key == name).and_then(|(_, value)| id(&value))
}

/// A provider's id for a video: letters, digits, `-` and `_` only.
fn id(value: &str) -> Option<String> {
    let fits = (1..=64).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    fits.then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        "https://www.youtube.com/embed/dQw4w9WgXcQ?autoplay=1",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
    )]
    #[case(
        "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
    )]
    #[case("https://youtu.be/dQw4w9WgXcQ", "https://www.youtube.com/watch?v=dQw4w9WgXcQ")]
    #[case(
        "https://player.bilibili.com/player.html?aid=1&bvid=BV1xx411c7mD",
        "https://www.bilibili.com/video/BV1xx411c7mD"
    )]
    #[case("https://player.bilibili.com/player.html?aid=170001", "https://www.bilibili.com/video/av170001")]
    #[case("https://player.vimeo.com/video/76979871?h=8272103f6e", "https://vimeo.com/76979871")]
    #[case(
        "https://v.qq.com/iframe/preview.html?vid=z0024k5dmzd&width=500",
        "https://v.qq.com/x/page/z0024k5dmzd.html"
    )]
    #[case(
        "https://v.qq.com/txp/iframe/player.html?vid=z0024k5dmzd",
        "https://v.qq.com/x/page/z0024k5dmzd.html"
    )]
    #[case(
        "https://player.youku.com/embed/XMTQ1Njg0MzIwMA==",
        "https://v.youku.com/v_show/id_XMTQ1Njg0MzIwMA.html"
    )]
    fn a_player_leads_to_the_page_of_its_video(#[case] source: &str, #[case] page: &str) {
        let embed = Embed::of(&Url::parse(source).unwrap());
        assert_eq!((embed.page.as_str(), embed.is_video), (page, true));
    }

    #[test]
    fn another_frame_is_named_by_its_host() {
        let embed = Embed::of(&Url::parse("https://www.example.org/map?x=1").unwrap());
        assert_eq!((embed.provider.as_str(), embed.is_video), ("example.org", false));
    }
}
