# 接收方式
cadence = 接收方式
cadence-change = 更改
cadence-instant = 立即通知
cadence-daily = 每天一封
cadence-weekly = 每週一封
cadence-muted = 不發郵件

# 接收時間
reader-hours-title = 摘要與勿擾
reader-hours-intro = 適用於發到 { $email } 的所有郵件。摘要把新文章合成一封，按您選的時間寄出。
reader-next = 下一封摘要：{ $time }
reader-cadence = 新訂閱預設
reader-zone-guess = 瀏覽器所在的時區不同，改用：
reader-hour = 摘要寄出時間
reader-weekday = 每週摘要在
reader-quiet = 勿擾時段
reader-quiet-label = 這段時間不寄郵件
reader-quiet-hint = 本應立即通知的，等這段時間過後再寄。摘要仍按自己的時間寄出。
reader-quiet-from = 從
reader-quiet-until = 到
reader-with-seen = 時間線上出現過的也要
reader-with-seen-hint = 不選時，摘要從您上次查看時間線之後算起。已經打開讀過的文章一律不再出現。
reader-hour-wrong = 請選擇 0 到 23 點。
reader-quiet-wrong = 勿擾時段的起訖不能是同一時間。
reader-weekday-wrong = 請選擇星期幾。
weekday-1 = 星期一
weekday-2 = 星期二
weekday-3 = 星期三
weekday-4 = 星期四
weekday-5 = 星期五
weekday-6 = 星期六
weekday-7 = 星期日

# 摘要郵件裡的連結
reader-manage-title = 管理訂閱
reader-manage-intro = { $email } 訂閱的公眾號和接收方式。
reader-manage-hint = 本頁僅供您個人使用：知道此網址的人都可以更改您的訂閱。
reader-manage = 管理訂閱
reader-accounts = 公眾號
reader-all = 全部改為：
reader-stop-title = 停收摘要？
reader-stop-text = { $email } 將不再收到摘要。以下公眾號不再發郵件給您，但仍是您的訂閱；立即通知的公眾號不受影響：
reader-stop = 停收摘要
reader-other-ways = 改為調整時間和頻率
reader-stopped-title = 已停收摘要
reader-stopped-text = { $email } 不再收到摘要。訂閱仍然保留，隨時可以為每個公眾號重新選擇。
reader-none-text = { $email } 沒有摘要。

# 摘要
digest-mail-daily = 每日摘要
digest-mail-weekly = 每週摘要
digest-mail-subject = { $digest }：{ $title }
digest-mail-subject-many = { $digest }：{ $title }（等 { $count } 篇）
digest-mail-heading = { NUMBER($accounts) } 個公眾號，{ NUMBER($count) } 篇新文章
digest-mail-since = 從您上次查看時間線算起（{ $time }）
digest-mail-more-of = 該公眾號還有 { NUMBER($count) } 篇
digest-mail-more = 查看全部，還有 { NUMBER($count) } 篇
digest-mail-timeline = 到網站閱讀
digest-mail-why = 您用 { $email } 訂閱了這些公眾號，因此收到這封摘要。
digest-mail-manage = 更改時間和頻率
digest-mail-stop = 停收摘要
