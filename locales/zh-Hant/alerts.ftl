# 儲存搜尋
alert-save-search = 有新文章時通知我
alert-new = 新提醒
alert-new-title = 儲存搜尋，有新文章時通知我
alert-new-hint = 郵件寄往 { $email }，每封都可一鍵停止。只有您自己看得到這裡的內容。
alert-query = 搜尋內容
alert-query-hint = 與搜尋框寫法相同。文章須原樣包含全部詞語，才會通知您。
alert-reads = 讀作
alert-lately = 最近 30 天有 { NUMBER($count) } 篇文章符合。
alert-name = 名稱
alert-name-hint = 寫在郵件標題裡；不填則使用搜尋內容。
alert-cadence = 通知方式
alert-cadence-instant = 立即，每篇一封郵件
alert-cadence-daily = 每天一封，彙總新文章
alert-cadence-weekly = 每週一封，彙總新文章
alert-save = 儲存
alert-query-empty = 請寫下要找的詞語。
alert-query-too-long = 搜尋內容最多 { $most } 個字元。
alert-name-wrong = 請填寫 1 到 { $most } 個字元的名稱。
alert-cadence-missing = 請選擇通知方式。
alert-saved-already = 您已經儲存過同樣的搜尋。
alert-too-many = 每人最多儲存 { $most } 個搜尋，請先刪除不再需要的。

# 設定
alert-list-title = 搜尋提醒
alert-list-intro = 新文章一發布，就與您儲存的搜尋比對；符合的寄往 { $email }。
alert-list-empty-title = 還沒有搜尋提醒
alert-list-empty-text = 搜尋之後點「有新文章時通知我」，就會出現在這裡。
alert-hits = 找到 { NUMBER($count) } 篇
alert-waiting = { NUMBER($count) } 篇待下次寄出
alert-last-told = 上次郵件：{ $date }
alert-never-told = 還沒有寄過郵件
alert-paused = 已暫停
alert-change = 變更
alert-pause = 暫停
alert-resume = 恢復
alert-delete = 刪除
flash-alert-saved = 已儲存，有符合的新文章就會通知您。
flash-alert-changed = 已變更。
flash-alert-paused = 已暫停，恢復之前不會通知您。
flash-alert-resumed = 已恢復。
flash-alert-deleted = 已刪除。

# 郵件裡的連結
alert-stop = 停止通知
alert-stop-title = 停止這個搜尋提醒？
alert-stop-text = 「{ $name }」有新文章時，將不再寄信給您。其他提醒和訂閱不受影響。
alert-stopped-title = 已停止
alert-stopped-text = 「{ $name }」不再寄信給您。其他提醒和訂閱不受影響。

# 郵件
alert-mail-subject = { $name }：{ $title }
alert-mail-subject-many = { $name }：{ $title }（等 { NUMBER($count) } 篇）
alert-mail-heading = 搜尋提醒：{ $name }
alert-mail-more = 另有 { NUMBER($count) } 篇，查看全部
alert-mail-all = 在網站上查看
alert-mail-why = 您儲存了搜尋「{ $query }」，因此收到這封郵件。
alert-mail-stop = 停止這個提醒
alert-mail-manage = 管理搜尋提醒
