demo-site-name = 鄉訊示範站
demo-mail-title = 示範信箱
demo-mail-intro = 示範站寄出的郵件都留在這裡，不會寄給任何人。
demo-mail-empty = 還沒有郵件
demo-mail-empty-hint = 訂閱一個公眾號，或在工作室群發一篇文章，郵件就會出現在這裡。
demo-letter-text = 純文字
demo-letter-headers = 郵件標頭
