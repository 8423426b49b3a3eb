//! What an article may be made of, and what becomes of everything else.

/// Every element that can appear in a sanitised body.
pub const ALLOWED: &[&str] = &[
    "a",
    "abbr",
    "audio",
    "b",
    "bdi",
    "bdo",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "dd",
    "del",
    "details",
    "dfn",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "iframe",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "rb",
    "rp",
    "rt",
    "rtc",
    "ruby",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "u",
    "ul",
    "var",
    "video",
    "wbr",
];

/// The classes that can appear, by element.
pub const CLASSES: &[(&str, &[&str])] = &[
    ("a", &["footnote-backref"]),
    (
        "code",
        &[
            "language-bash",
            "language-c",
            "language-cpp",
            "language-css",
            "language-diff",
            "language-go",
            "language-html",
            "language-java",
            "language-javascript",
            "language-json",
            "language-kotlin",
            "language-php",
            "language-python",
            "language-rust",
            "language-sh",
            "language-sql",
            "language-swift",
            "language-toml",
            "language-typescript",
            "language-xml",
            "language-yaml",
        ],
    ),
    ("figure", &["embed", "embed-video"]),
    ("section", &["footnotes"]),
    ("sup", &["footnote-ref"]),
];

/// How `clean` treats an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Written, and stands on its own lines.
    Block,
    /// Written within a block, under this name.
    Inline(&'static str),
    /// Not written; what it holds directly becomes paragraphs.
    Container,
    /// Not written, and parts nothing.
    Transparent,
    /// Written without content: `img`, `br`, `hr`, `wbr`.
    Void,
    /// Turned into a link, a player or a sign: `iframe`, `video`, `input`, ...
    Replaced,
    /// Left out with all it holds.
    Dropped,
    /// Left out; what it holds stays.
    Unknown,
}

/// How `clean` treats an element of this name.
pub fn kind(name: &str) -> Kind {
    match name {
        "p" | "h2" | "h3" | "h4" | "h5" | "h6" | "h1" | "ul" | "ol" | "li" | "dl" | "dt" | "dd"
        | "blockquote" | "pre" | "figure" | "figcaption" | "details" | "summary" | "table" | "caption"
        | "thead" | "tbody" | "tfoot" | "tr" | "td" | "th" => Kind::Block,
        "div" | "section" | "article" | "aside" | "main" | "header" | "footer" | "nav" | "center"
        | "body" | "html" | "address" | "fieldset" | "form" | "hgroup" | "mp-style-type" | "legend"
        | "dir" | "menu" | "listing" => Kind::Container,
        "span" | "font" => Kind::Transparent,
        "img" | "br" | "hr" | "wbr" => Kind::Void,
        "iframe" | "embed" | "object" | "video" | "audio" | "source" | "input" | "mpvoice" | "mpvideo" => {
            Kind::Replaced
        }
        "script" | "style" | "svg" | "math" | "noscript" | "title" | "xmp" | "noembed" | "noframes"
        | "textarea" => Kind::Dropped,
        _ => inline(name).map_or(Kind::Unknown, Kind::Inline),
    }
}

/// The name an inline element is written under.
fn inline(name: &str) -> Option<&'static str> {
    Some(match name {
        "a" => "a",
        "abbr" | "acronym" => "abbr",
        "b" => "b",
        "bdi" => "bdi",
        "bdo" => "bdo",
        "cite" => "cite",
        "code" | "tt" => "code",
        "del" => "del",
        "dfn" => "dfn",
        "em" => "em",
        "i" => "i",
        "ins" => "ins",
        "kbd" => "kbd",
        "mark" => "mark",
        "q" => "q",
        "rb" => "rb",
        "rp" => "rp",
        "rt" => "rt",
        "rtc" => "rtc",
        "ruby" => "ruby",
        "s" | "strike" => "s",
        "samp" => "samp",
        "small" => "small",
        "strong" => "strong",
        "sub" => "sub",
        "sup" => "sup",
        "time" => "time",
        "u" => "u",
        "var" => "var",
        _ => return None,
    })
}

/// The name a block is written under: a page has one `h1`, and it is the title.
pub fn block(name: &str) -> &'static str {
    match name {
        "h1" => "h2",
        _ => ALLOWED.iter().copied().find(|allowed| *allowed == name).unwrap_or("p"),
    }
}

/// Elements whose start ends an `svg` or `math` before its end tag, as browsers read it.
pub fn breaks_out(name: &str) -> bool {
    matches!(
        name,
        "b" | "big"
            | "blockquote"
            | "body"
            | "br"
            | "center"
            | "code"
            | "dd"
            | "div"
            | "dl"
            | "dt"
            | "em"
            | "embed"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "head"
            | "hr"
            | "i"
            | "img"
            | "li"
            | "listing"
            | "menu"
            | "meta"
            | "nobr"
            | "ol"
            | "p"
            | "pre"
            | "ruby"
            | "s"
            | "small"
            | "span"
            | "strike"
            | "strong"
            | "sub"
            | "sup"
            | "table"
            | "tt"
            | "u"
            | "ul"
            | "var"
    )
}
