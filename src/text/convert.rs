//! Text of one script in the other, word by word: 头发 becomes 頭髮, 发展 becomes 發展 (OpenCC's dictionaries,
//! by `opencc-fmmseg`).

use std::borrow::Cow;
use std::sync::LazyLock;

use opencc_fmmseg::{OpenCC, OpenccConfig};

use super::script::Script;

static CONVERTER: LazyLock<OpenCC> = LazyLock::new(OpenCC::new);

/// The text in a script; as it is for [`Script::Other`].
pub fn to(script: Script, text: &str) -> Cow<'_, str> {
    let config = match script {
        Script::Hans => OpenccConfig::T2s,
        Script::Hant => OpenccConfig::S2t,
        Script::Other => return Cow::Borrowed(text),
    };
    Cow::Owned(CONVERTER.convert_with_config(text, config, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_converted_as_a_whole() {
        for (hans, hant) in
            [("头发", "頭髮"), ("发展", "發展"), ("皇后在后面", "皇后在後面"), ("AI 手机", "AI 手機")]
        {
            assert_eq!(to(Script::Hant, hans), hant);
            assert_eq!(to(Script::Hans, hant), hans);
        }
        assert_eq!(to(Script::Hans, "台风"), "台风");
        assert_eq!(to(Script::Other, "颱風"), "颱風");
    }
}
