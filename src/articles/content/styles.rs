//! Meaning that WeChat's and Word's editors keep in inline styles: bold, italics and the like. The
//! rest of a style says how another page looked, and goes.

/// The element that says what a span's style says, where that is a matter of meaning.
pub fn meaning(style: &str) -> Option<&'static str> {
    let mut found = None;
    for declaration in style.split(';') {
        let Some((property, value)) = declaration.split_once(':') else { continue };
        let value = value.trim().to_ascii_lowercase();
        match property.trim().to_ascii_lowercase().as_str() {
            "font-weight" if is_bold(&value) => return Some("strong"),
            "font-style" if value.starts_with("italic") => found = Some("em"),
            "text-decoration" | "text-decoration-line" if found.is_none() => {
                if value.contains("line-through") {
                    found = Some("s");
                } else if value.contains("underline") {
                    found = Some("u");
                }
            }
            "vertical-align" if found.is_none() && value.starts_with("super") => found = Some("sup"),
            "vertical-align" if found.is_none() && value.starts_with("sub") => found = Some("sub"),
            _ => {}
        }
    }
    found
}

fn is_bold(value: &str) -> bool {
    value.starts_with("bold")
        || value.split_whitespace().next().and_then(|n| n.parse::<u32>().ok()).is_some_and(|n| n >= 600)
}
