//! Players that other sites offer as frames. Those of a few hosts stay frames, made anew by us; all
//! others become links.
//!
//! A frame lets its site know the reader, so it stands in closed `details` and is loaded late:
//! nothing is asked of that site before the reader opens it, and no script of ours is needed.

use url::Url;

/// Where frames may come from: nothing else passes the sanitiser or the policy of our pages.
pub const PLAYER_HOSTS: [&str; 4] =
    ["www.youtube-nocookie.com", "player.vimeo.com", "player.bilibili.com", "v.qq.com"];

/// What a player may do: run, go full screen, open its own site in a new window. It cannot lead
/// our page elsewhere, send forms or open dialogs.
pub const SANDBOX: &str =
    "allow-scripts allow-same-origin allow-presentation allow-popups allow-popups-to-escape-sandbox";
pub const ALLOW: &str = "fullscreen; encrypted-media; picture-in-picture";
/// YouTube plays for nobody who hides which site it is on.
pub const REFERRER: &str = "strict-origin-when-cross-origin";

/// Where a player's video or other content can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embed {
    /// The page to link to.
    pub page: String,
    /// The provider's name, or the host of one that we do not know.
    pub provider: String,
    pub is_video: bool,
    /// The address for a frame, of one of [`PLAYER_HOSTS`].
    pub player: Option<String>,
}

impl Embed {
    /// What a frame with this source shows. All addresses are made of ids found in it.
    pub fn of(source: &Url) -> Self {
        let video = |provider: &str, page: String, player: Option<String>| Self {
            page,
            provider: provider.to_owned(),
            is_video: true,
            player,
        };
        let found = match host(source) {
            "youtube.com" | "youtube-nocookie.com" | "youtu.be" => {
                youtube(source).map(|(page, player)| video("YouTube", page, Some(player)))
            }
            "player.bilibili.com" | "bilibili.com" => {
                bilibili(source).map(|(page, player)| video("Bilibili", page, Some(player)))
            }
            "player.vimeo.com" | "vimeo.com" => {
                vimeo(source).map(|(page, player)| video("Vimeo", page, Some(player)))
            }
            "v.qq.com" => tencent(source).map(|(page, player)| video("腾讯视频", page, Some(player))),
            "player.youku.com" => youku(source).map(|page| video("优酷", page, None)),
            _ => None,
        };
        found.unwrap_or_else(|| Self {
            page: source.to_string(),
            provider: source.host_str().unwrap_or_default().trim_start_matches("www.").to_owned(),
            is_video: false,
            player: None,
        })
    }
}

/// Whether an address is one that we give to frames, to the letter.
pub fn is_player(value: &str) -> bool {
    Url::parse(value).is_ok_and(|url| Embed::of(&url).player.as_deref() == Some(value))
}

fn host(source: &Url) -> &str {
    source.host_str().unwrap_or_default().trim_start_matches("www.").trim_start_matches("m.")
}

/// The page and the player of a video; so below.
fn youtube(source: &Url) -> Option<(String, String)> {
    let parts = segments(source);
    let video = match parts.as_slice() {
        ["watch", ..] => query(source, "v"),
        ["embed", "videoseries", ..] | ["playlist", ..] => {
            let list = query(source, "list")?;
            return Some((
                format!("https://www.youtube.com/playlist?list={list}"),
                format!("https://www.youtube-nocookie.com/embed/videoseries?list={list}"),
            ));
        }
        ["embed", "live_stream", ..] => None,
        ["embed" | "v" | "shorts" | "live", video, ..] => id(video),
        [video] if source.host_str() == Some("youtu.be") => id(video),
        _ => None,
    }?;
    Some((
        format!("https://www.youtube.com/watch?v={video}"),
        format!("https://www.youtube-nocookie.com/embed/{video}"),
    ))
}

fn bilibili(source: &Url) -> Option<(String, String)> {
    let video = query(source, "bvid")
        .or_else(|| query(source, "aid").map(|aid| format!("av{aid}")))
        .or_else(|| match segments(source).as_slice() {
            ["video", video, ..] => id(video),
            _ => None,
        })?;
    let asked = match video.strip_prefix("av") {
        Some(aid) => format!("aid={aid}"),
        None => format!("bvid={video}"),
    };
    // Parts of one video.
    let part = query(source, "p").filter(|part| is_number(part) && part != "1");
    let part = part.map(|part| format!("p={part}"));
    let page = format!("https://www.bilibili.com/video/{video}");
    let player = format!("https://player.bilibili.com/player.html?{asked}&autoplay=0");
    Some(match part {
        Some(part) => (format!("{page}?{part}"), format!("{player}&{part}")),
        None => (page, player),
    })
}

fn vimeo(source: &Url) -> Option<(String, String)> {
    let video = segments(source).into_iter().rev().find(|part| is_number(part))?;
    let player = format!("https://player.vimeo.com/video/{video}?dnt=1");
    Some(match query(source, "h") {
        // An unlisted video plays with its hash only.
        Some(hash) => (format!("https://vimeo.com/{video}/{hash}"), format!("{player}&h={hash}")),
        None => (format!("https://vimeo.com/{video}"), player),
    })
}

fn tencent(source: &Url) -> Option<(String, String)> {
    let video = query(source, "vid").or_else(|| match segments(source).as_slice() {
        ["x", "page" | "cover", .., last] => last.strip_suffix(".html").and_then(id),
        _ => None,
    })?;
    Some((
        format!("https://v.qq.com/x/page/{video}.html"),
        format!("https://v.qq.com/txp/iframe/player.html?vid={video}"),
    ))
}

fn youku(source: &Url) -> Option<String> {
    let video = segments(source).pop().map(|last| last.trim_end_matches("==")).and_then(id)?;
    Some(format!("https://v.youku.com/v_show/id_{video}.html"))
}

fn segments(source: &Url) -> Vec<&str> {
    source.path_segments().map(|parts| parts.filter(|part| !part.is_empty()).collect()).unwrap_or_default()
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

fn is_number(value: &str) -> bool {
    (1..=20).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::youtube(
        "https://www.youtube.com/embed/dQw4w9WgXcQ?autoplay=1",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"
    )]
    #[case::youtube_by_its_short_name(
        "https://youtu.be/dQw4w9WgXcQ",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"
    )]
    #[case::youtube_list(
        "https://www.youtube-nocookie.com/embed/videoseries?list=PL123",
        "https://www.youtube.com/playlist?list=PL123",
        "https://www.youtube-nocookie.com/embed/videoseries?list=PL123"
    )]
    #[case::bilibili(
        "https://player.bilibili.com/player.html?aid=1&bvid=BV1xx411c7mD",
        "https://www.bilibili.com/video/BV1xx411c7mD",
        "https://player.bilibili.com/player.html?bvid=BV1xx411c7mD&autoplay=0"
    )]
    #[case::bilibili_by_number(
        "https://player.bilibili.com/player.html?aid=170001&p=2",
        "https://www.bilibili.com/video/av170001?p=2",
        "https://player.bilibili.com/player.html?aid=170001&autoplay=0&p=2"
    )]
    #[case::vimeo(
        "https://player.vimeo.com/video/76979871?autoplay=1",
        "https://vimeo.com/76979871",
        "https://player.vimeo.com/video/76979871?dnt=1"
    )]
    #[case::vimeo_unlisted(
        "https://player.vimeo.com/video/76979871?h=8272103f6e",
        "https://vimeo.com/76979871/8272103f6e",
        "https://player.vimeo.com/video/76979871?dnt=1&h=8272103f6e"
    )]
    #[case::tencent_as_wechat_has_it(
        "https://v.qq.com/iframe/preview.html?vid=z0024k5dmzd&width=500",
        "https://v.qq.com/x/page/z0024k5dmzd.html",
        "https://v.qq.com/txp/iframe/player.html?vid=z0024k5dmzd"
    )]
    #[case::tencent_page(
        "https://v.qq.com/x/page/z0024k5dmzd.html",
        "https://v.qq.com/x/page/z0024k5dmzd.html",
        "https://v.qq.com/txp/iframe/player.html?vid=z0024k5dmzd"
    )]
    fn a_player_is_made_anew_and_leads_to_the_page_of_its_video(
        #[case] source: &str,
        #[case] page: &str,
        #[case] player: &str,
    ) {
        let embed = Embed::of(&Url::parse(source).unwrap());
        assert_eq!((embed.page.as_str(), embed.player.as_deref()), (page, Some(player)));
        assert!(embed.is_video && is_player(player));
        let again = Embed::of(&Url::parse(player).unwrap());
        assert_eq!((again.player.as_deref(), again.page), (Some(player), embed.page));
        let host = Url::parse(player).unwrap().host_str().unwrap().to_owned();
        assert!(PLAYER_HOSTS.contains(&host.as_str()), "{host}");
    }

    #[rstest]
    #[case::youku("https://player.youku.com/embed/XMTQ1Njg0MzIwMA==")]
    #[case::another("https://www.example.org/embed/x")]
    #[case::user_that_looks_like_a_host("https://www.youtube.com@evil.test/embed/dQw4w9WgXcQ")]
    #[case::host_that_begins_alike("https://www.youtube.com.evil.test/embed/dQw4w9WgXcQ")]
    #[case::host_that_ends_alike("https://evilyoutube.com/embed/dQw4w9WgXcQ")]
    #[case::address_in_the_path("https://evil.test/https://www.youtube.com/embed/dQw4w9WgXcQ")]
    #[case::not_a_player("https://www.youtube-nocookie.com/redirect?q=https://evil.test")]
    #[case::id_with_a_path("https://www.youtube.com/embed/x%2F..%2F..%2Fredirect")]
    #[case::id_with_quotes("https://player.bilibili.com/player.html?bvid=%22%3E%3Cscript%3E")]
    #[case::no_id("https://v.qq.com/txp/iframe/player.html")]
    fn nothing_else_is_framed(#[case] source: &str) {
        let embed = Embed::of(&Url::parse(source).unwrap());
        assert_eq!(embed.player, None);
        assert!(!is_player(source));
    }

    #[test]
    fn an_address_is_a_players_only_as_we_write_it() {
        assert!(is_player("https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"));
        for other in [
            "http://www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
            "https://www.youtube-nocookie.com:8443/embed/dQw4w9WgXcQ",
            "https://user@www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
            "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?autoplay=1",
            "//www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
            "data:text/html,x",
            "javascript:alert(1)",
            "",
        ] {
            assert!(!is_player(other), "{other}");
        }
    }

    #[test]
    fn another_frame_is_named_by_its_host() {
        let embed = Embed::of(&Url::parse("https://www.example.org/map?x=1").unwrap());
        assert_eq!((embed.provider.as_str(), embed.is_video), ("example.org", false));
    }
}
