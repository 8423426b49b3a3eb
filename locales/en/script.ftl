# In what script Chinese is shown
script-menu = Chinese text
script-as-written = As written
script-hans = 简体
script-hant-tw = 繁體（台灣）
script-hant-hk = 繁體（香港）
script-field = Chinese text in articles and mails
script-follows = As the interface language
script-wrong = Choose a script: as written, Simplified, Traditional (Taiwan) or Traditional (Hong Kong).
script-converted-hans = Converted from Traditional to Simplified Chinese
script-converted-hant-tw = Converted to Traditional Chinese (Taiwan wording)
script-converted-hant-hk = Converted to Traditional Chinese (Hong Kong wording)
script-show-original = Show the original
script-is-original = This is the original, as written
script-show = Show in { $script }
