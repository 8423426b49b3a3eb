# In what script Chinese is shown
script-menu = 文章文字
script-as-written = 原文
script-hans = 简体
script-hant-tw = 繁體（台灣）
script-hant-hk = 繁體（香港）
script-field = 文章和郵件的文字
script-follows = 隨介面語言
script-wrong = 請選擇一種文字：原文、簡體、繁體（台灣）或繁體（香港）。
script-converted-hans = 已由繁體轉換為簡體
script-converted-hant-tw = 已轉換為繁體（台灣用語）
script-converted-hant-hk = 已轉換為繁體（香港用語）
script-show-original = 看原文
script-is-original = 這是作者寫的原文
script-show = 看{ $script }
