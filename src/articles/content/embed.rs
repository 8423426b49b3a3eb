//! Players that other sites offer as frames. Those of a few sites become frames of ours, which load
//! the player when its reader asks for it; all others become links.
//!
//! A frame lets its site follow the reader. So an article's frame shows a small page of this site
//! with nothing but a link to the player, which opens in the same frame: nothing is asked of the
//! other site before, and no script of ours is needed. (A frame in closed `details` would not do:
//! browsers load it at once, however late it is marked.)

use url::Url;

/// Where frames may lead: the policy of our pages names these and no others.
pub const PLAYER_HOSTS: [&str; 4] =
    ["www.youtube-nocookie.com", "player.vimeo.com", "player.bilibili.com", "v.qq.com"];

/// What a player may do: run, go full screen, open its own site in a new window. It cannot lead
/// our page elsewhere, send forms or open dialogs.
pub const SANDBOX: &str =
    "allow-scripts allow-same-origin allow-presentation allow-popups allow-popups-to-escape-sandbox";
pub const ALLOW: &str = "autoplay; fullscreen; encrypted-media; picture-in-picture";

/// Where frames of ours begin; [`Video::at`] reads the rest.
const PATH: &str = "/embed/";

/// A site with videos whose player we show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
enum Site {
    Youtube,
    YoutubeList,
    Vimeo,
    Bilibili,
    Tencent,
}

/// A video that can be played here: its site, its id there, and what else the player must know (the
/// hash of an unlisted one, the number of a part).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Video {
    site: Site,
    id: String,
    more: Option<String>,
}

impl Video {
    /// The video of `/embed/{site}/{key}`.
    pub fn at(site: &str, key: &str) -> Option<Self> {
        let (key, more) = key.split_once('.').map_or((key, None), |(key, more)| (key, Some(more)));
        Self::new(site.parse().ok()?, id(key)?, more.map(|more| id(more).ok_or(())).transpose().ok()?)
    }

    fn new(site: Site, id: String, more: Option<String>) -> Option<Self> {
        let fits = match site {
            Site::Youtube | Site::YoutubeList | Site::Tencent => more.is_none(),
            Site::Vimeo => is_number(&id),
            Site::Bilibili => more.as_deref().is_none_or(is_number),
        };
        fits.then_some(Self { site, id, more })
    }

    /// Our page with the way to the player.
    pub fn path(&self) -> String {
        let site: &str = self.site.into();
        match &self.more {
            Some(more) => format!("{PATH}{site}/{}.{more}", self.id),
            None => format!("{PATH}{site}/{}", self.id),
        }
    }

    /// The site's own page about it.
    pub fn page(&self) -> String {
        let id = &self.id;
        match (self.site, &self.more) {
            (Site::Youtube, _) => format!("https://www.youtube.com/watch?v={id}"),
            (Site::YoutubeList, _) => format!("https://www.youtube.com/playlist?list={id}"),
            (Site::Vimeo, None) => format!("https://vimeo.com/{id}"),
            (Site::Vimeo, Some(hash)) => format!("https://vimeo.com/{id}/{hash}"),
            (Site::Bilibili, None) => format!("https://www.bilibili.com/video/{id}"),
            (Site::Bilibili, Some(part)) => format!("https://www.bilibili.com/video/{id}?p={part}"),
            (Site::Tencent, _) => format!("https://v.qq.com/x/page/{id}.html"),
        }
    }

    /// The player, on one of [`PLAYER_HOSTS`]; it starts, for its reader has asked for it.
    pub fn player(&self) -> String {
        let id = &self.id;
        match self.site {
            Site::Youtube => format!("https://www.youtube-nocookie.com/embed/{id}?autoplay=1"),
            Site::YoutubeList => {
                format!("https://www.youtube-nocookie.com/embed/videoseries?list={id}&autoplay=1")
            }
            Site::Vimeo => {
                let hash = self.more.as_ref().map(|hash| format!("&h={hash}")).unwrap_or_default();
                format!("https://player.vimeo.com/video/{id}?dnt=1&autoplay=1{hash}")
            }
            Site::Bilibili => {
                let asked = match id.strip_prefix("av") {
                    Some(number) => format!("aid={number}"),
                    None => format!("bvid={id}"),
                };
                let part = self.more.as_deref().unwrap_or("1");
                format!("https://player.bilibili.com/player.html?{asked}&p={part}&autoplay=1")
            }
            Site::Tencent => format!("https://v.qq.com/txp/iframe/player.html?vid={id}&autoplay=true"),
        }
    }

    /// The site's name.
    pub fn provider(&self) -> &'static str {
        match self.site {
            Site::Youtube | Site::YoutubeList => "YouTube",
            Site::Vimeo => "Vimeo",
            Site::Bilibili => "Bilibili",
            Site::Tencent => "腾讯视频",
        }
    }

    /// The video that a frame with this source shows. Only ids are taken from it.
    fn of(source: &Url) -> Option<Self> {
        let (site, id, more) = match host(source) {
            "youtube.com" | "youtube-nocookie.com" | "youtu.be" => youtube(source)?,
            "player.bilibili.com" | "bilibili.com" => bilibili(source)?,
            "player.vimeo.com" | "vimeo.com" => vimeo(source)?,
            "v.qq.com" => tencent(source)?,
            _ => return None,
        };
        Self::new(site, id, more)
    }
}

/// The video of a frame of ours.
pub fn own(source: &str) -> Option<Video> {
    let (site, key) = source.strip_prefix(PATH)?.split_once('/')?;
    Video::at(site, key).filter(|video| video.path() == source)
}

/// Where a player's video or other content can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embed {
    /// The page to link to.
    pub page: String,
    /// The provider's name, or the host of one that we do not know.
    pub provider: String,
    pub is_video: bool,
    /// What can be played here.
    pub video: Option<Video>,
}

impl Embed {
    /// What a frame with this source shows.
    pub fn of(source: &Url) -> Self {
        if let Some(video) = Video::of(source) {
            return video.into();
        }
        match youku(source).filter(|_| host(source) == "player.youku.com") {
            Some(page) => Self { page, provider: "优酷".into(), is_video: true, video: None },
            None => Self {
                page: source.to_string(),
                provider: source.host_str().unwrap_or_default().trim_start_matches("www.").to_owned(),
                is_video: false,
                video: None,
            },
        }
    }
}

impl From<Video> for Embed {
    fn from(video: Video) -> Self {
        let provider = video.provider().to_owned();
        Self { page: video.page(), provider, is_video: true, video: Some(video) }
    }
}

fn host(source: &Url) -> &str {
    source.host_str().unwrap_or_default().trim_start_matches("www.").trim_start_matches("m.")
}

type Found = Option<(Site, String, Option<String>)>;

fn youtube(source: &Url) -> Found {
    let parts = segments(source);
    let video = match parts.as_slice() {
        ["watch", ..] => query(source, "v"),
        ["embed", "videoseries", ..] | ["playlist", ..] => {
            return Some((Site::YoutubeList, query(source, "list")?, None));
        }
        ["embed", "live_stream", ..] => None,
        ["embed" | "v" | "shorts" | "live", video, ..] => id(video),
        [video] if source.host_str() == Some("youtu.be") => id(video),
        _ => None,
    }?;
    Some((Site::Youtube, video, None))
}

fn bilibili(source: &Url) -> Found {
    let video = query(source, "bvid")
        .or_else(|| query(source, "aid").map(|aid| format!("av{aid}")))
        .or_else(|| match segments(source).as_slice() {
            ["video", video, ..] => id(video),
            _ => None,
        })?;
    let part = query(source, "p").filter(|part| is_number(part) && part != "1");
    Some((Site::Bilibili, video, part))
}

fn vimeo(source: &Url) -> Found {
    let video = segments(source).into_iter().rev().find(|part| is_number(part))?;
    Some((Site::Vimeo, video.to_owned(), query(source, "h")))
}

fn tencent(source: &Url) -> Found {
    let video = query(source, "vid").or_else(|| match segments(source).as_slice() {
        ["x", "page" | "cover", .., last] => last.strip_suffix(".html").and_then(id),
        _ => None,
    })?;
    Some((Site::Tencent, video, None))
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
        "https://www.youtube.com/embed/dQw4w9WgXcQ?autoplay=0&rel=0",
        "/embed/youtube/dQw4w9WgXcQ",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?autoplay=1"
    )]
    #[case::youtube_by_its_short_name(
        "https://youtu.be/dQw4w9WgXcQ",
        "/embed/youtube/dQw4w9WgXcQ",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?autoplay=1"
    )]
    #[case::youtube_list(
        "https://www.youtube-nocookie.com/embed/videoseries?list=PL123",
        "/embed/youtube-list/PL123",
        "https://www.youtube.com/playlist?list=PL123",
        "https://www.youtube-nocookie.com/embed/videoseries?list=PL123&autoplay=1"
    )]
    #[case::bilibili(
        "https://player.bilibili.com/player.html?aid=1&bvid=BV1xx411c7mD&p=1",
        "/embed/bilibili/BV1xx411c7mD",
        "https://www.bilibili.com/video/BV1xx411c7mD",
        "https://player.bilibili.com/player.html?bvid=BV1xx411c7mD&p=1&autoplay=1"
    )]
    #[case::bilibili_by_number(
        "https://player.bilibili.com/player.html?aid=170001&p=2",
        "/embed/bilibili/av170001.2",
        "https://www.bilibili.com/video/av170001?p=2",
        "https://player.bilibili.com/player.html?aid=170001&p=2&autoplay=1"
    )]
    #[case::vimeo(
        "https://player.vimeo.com/video/76979871?autoplay=1",
        "/embed/vimeo/76979871",
        "https://vimeo.com/76979871",
        "https://player.vimeo.com/video/76979871?dnt=1&autoplay=1"
    )]
    #[case::vimeo_unlisted(
        "https://player.vimeo.com/video/76979871?h=8272103f6e",
        "/embed/vimeo/76979871.8272103f6e",
        "https://vimeo.com/76979871/8272103f6e",
        "https://player.vimeo.com/video/76979871?dnt=1&autoplay=1&h=8272103f6e"
    )]
    #[case::tencent_as_wechat_has_it(
        "https://v.qq.com/iframe/preview.html?vid=z0024k5dmzd&width=500",
        "/embed/tencent/z0024k5dmzd",
        "https://v.qq.com/x/page/z0024k5dmzd.html",
        "https://v.qq.com/txp/iframe/player.html?vid=z0024k5dmzd&autoplay=true"
    )]
    #[case::tencent_page(
        "https://v.qq.com/x/page/z0024k5dmzd.html",
        "/embed/tencent/z0024k5dmzd",
        "https://v.qq.com/x/page/z0024k5dmzd.html",
        "https://v.qq.com/txp/iframe/player.html?vid=z0024k5dmzd&autoplay=true"
    )]
    fn a_player_is_known_by_its_ids_alone(
        #[case] source: &str,
        #[case] path: &str,
        #[case] page: &str,
        #[case] player: &str,
    ) {
        let embed = Embed::of(&Url::parse(source).unwrap());
        let video = embed.video.clone().unwrap();
        assert_eq!((video.path().as_str(), embed.page.as_str()), (path, page));
        assert_eq!(video.player(), player);
        assert_eq!(own(path), Some(video));
        let host = Url::parse(player).unwrap().host_str().unwrap().to_owned();
        assert!(PLAYER_HOSTS.contains(&host.as_str()), "{host}");
    }

    #[rstest]
    #[case::youku("https://player.youku.com/embed/XMTQ1Njg0MzIwMA==")]
    #[case::another("https://www.example.org/embed/x")]
    #[case::one_like_ours("https://www.example.org/embed/youtube/dQw4w9WgXcQ")]
    #[case::user_that_looks_like_a_host("https://www.youtube.com@evil.test/embed/dQw4w9WgXcQ")]
    #[case::host_that_begins_alike("https://www.youtube.com.evil.test/embed/dQw4w9WgXcQ")]
    #[case::host_that_ends_alike("https://evilyoutube.com/embed/dQw4w9WgXcQ")]
    #[case::address_in_the_path("https://evil.test/https://www.youtube.com/embed/dQw4w9WgXcQ")]
    #[case::not_a_player("https://www.youtube-nocookie.com/redirect?q=https://evil.test")]
    #[case::id_with_a_path("https://www.youtube.com/embed/x%2F..%2F..%2Fredirect")]
    #[case::id_with_quotes("https://player.bilibili.com/player.html?bvid=%22%3E%3Cscript%3E")]
    #[case::no_id("https://v.qq.com/txp/iframe/player.html")]
    fn nothing_else_is_framed(#[case] source: &str) {
        assert_eq!(Embed::of(&Url::parse(source).unwrap()).video, None);
        assert_eq!(own(source), None);
    }

    #[test]
    fn only_what_we_could_have_written_is_a_frame_of_ours() {
        for other in [
            "/embed/youtube/",
            "/embed/youtube",
            "/embed/youtube/a/b",
            "/embed/youtube/../../sign-out",
            "/embed/youtube/a.b",
            "/embed/youtube/a?x",
            "/embed/vimeo/abc",
            "/embed/bilibili/BV1.x",
            "/embed/evil/abc",
            "/embed/youtube/%22",
            "//embed/youtube/abc",
            "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
            "data:text/html,x",
            "javascript:alert(1)",
            "",
        ] {
            assert_eq!(own(other), None, "{other}");
        }
    }

    #[test]
    fn another_frame_is_named_by_its_host() {
        let embed = Embed::of(&Url::parse("https://www.example.org/map?x=1").unwrap());
        assert_eq!((embed.provider.as_str(), embed.is_video), ("example.org", false));
    }

    #[test]
    fn youku_is_a_link_to_its_page() {
        let embed = Embed::of(&Url::parse("https://player.youku.com/embed/XMTQ1Njg0MzIwMA==").unwrap());
        assert_eq!(embed.page, "https://v.youku.com/v_show/id_XMTQ1Njg0MzIwMA.html");
        assert!(embed.is_video);
    }
}
