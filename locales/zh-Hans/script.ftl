# In what script Chinese is shown
script-menu = 文章文字
script-as-written = 原文
script-hans = 简体
script-hant-tw = 繁體（台灣）
script-hant-hk = 繁體（香港）
script-field = 文章和邮件的文字
script-follows = 随界面语言
script-wrong = 请选择一种文字：原文、简体、繁体（台湾）或繁体（香港）。
script-converted-hans = 已由繁体转换为简体
script-converted-hant-tw = 已转换为繁体（台湾用语）
script-converted-hant-hk = 已转换为繁体（香港用语）
script-show-original = 看原文
script-is-original = 这是作者写的原文
script-show = 看{ $script }
