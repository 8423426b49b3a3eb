//! What feed services and counters add to other people's articles.

use url::Url;

use crate::import::markup::Tag;

/// Hosts (or endings of hosts) whose images only count readers.
const COUNTERS: [&str; 12] = [
    "pixel.wp.com",
    "stats.wordpress.com",
    "feedsportal.com",
    "feeds.feedburner.com",
    "feedproxy.google.com",
    "doubleclick.net",
    "google-analytics.com",
    "scorecardresearch.com",
    "pheedo.com",
    "quantserve.com",
    "hm.baidu.com",
    "cnzz.com",
];

/// Class names of the boxes that feed services and blog plugins append.
const BOXES: [&str; 9] = [
    "feedflare",
    "sharedaddy",
    "jp-relatedposts",
    "adsbygoogle",
    "wpcnt",
    "social-share",
    "addtoany_share_save_container",
    "mf-viral",
    "wp-block-jetpack-sharing-buttons",
];

/// Query parameters that only tell where a reader came from.
const CAMPAIGN: [&str; 4] = ["fbclid", "gclid", "mc_cid", "mc_eid"];

/// Whether an image is not there to be seen.
pub(super) fn is_hidden(tag: &Tag) -> bool {
    let tiny = |name: &str| {
        tag.attribute(name).is_some_and(|v| matches!(v.trim().trim_end_matches("px").trim(), "0" | "1"))
    };
    let style = tag.attribute("style").unwrap_or_default().replace(' ', "").to_ascii_lowercase();
    let hidden = style.contains("display:none") || style.contains("width:1px") || style.contains("width:0");
    (tiny("width") && tiny("height")) || hidden
}

/// Whether an image's address is that of a counter.
pub(super) fn counts_readers(address: &Url) -> bool {
    let host = address.host_str().unwrap_or_default();
    COUNTERS.iter().any(|c| host == *c || host.strip_suffix(c).is_some_and(|h| h.ends_with('.')))
}

/// An element whose whole content is such an addition.
pub(super) fn is_box(tag: &Tag) -> bool {
    let class = tag.attribute("class").unwrap_or_default();
    class.split_whitespace().any(|name| BOXES.contains(&name))
}

/// The words with which blog software signs a feed: "The post A appeared first on B."
pub(super) fn is_signature(text: &str) -> bool {
    let text = text.trim();
    text.len() < 1000
        && text.starts_with("The post ")
        && (text.contains(" appeared first on ") || text.contains(" first appeared on "))
}

/// The address without its campaign parameters; `None` when it has none. The rest stays as written:
/// decoding and encoding again changes addresses that some servers compare.
pub(super) fn without_campaign(address: &str) -> Option<String> {
    let is_campaign = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        name.starts_with("utm_") || CAMPAIGN.contains(&name)
    };
    let (path, rest) = address.split_once('?')?;
    let (query, fragment) =
        rest.split_once('#').map_or((rest, None), |(query, fragment)| (query, Some(fragment)));
    if !query.split('&').any(is_campaign) {
        return None;
    }
    let kept: Vec<_> = query.split('&').filter(|pair| !is_campaign(pair)).collect();
    let mut address = path.to_owned();
    if !kept.is_empty() {
        address.push('?');
        address.push_str(&kept.join("&"));
    }
    if let Some(fragment) = fragment {
        address.push('#');
        address.push_str(fragment);
    }
    Some(address)
}
