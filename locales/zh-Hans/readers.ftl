# 接收方式
cadence = 接收方式
cadence-change = 更改
cadence-instant = 立即通知
cadence-daily = 每天一封
cadence-weekly = 每周一封
cadence-muted = 不发邮件

# 接收时间
reader-hours-title = 摘要与免打扰
reader-hours-intro = 适用于发到 { $email } 的所有邮件。摘要把新文章合成一封，按您选的时间寄出。
reader-next = 下一封摘要：{ $time }
reader-cadence = 新订阅默认
reader-zone-guess = 浏览器所在的时区不同，改用：
reader-hour = 摘要寄出时间
reader-weekday = 每周摘要在
reader-quiet = 免打扰
reader-quiet-label = 这段时间不寄邮件
reader-quiet-hint = 本应立即通知的，等这段时间过后再寄。摘要仍按自己的时间寄出。
reader-quiet-from = 从
reader-quiet-until = 到
reader-with-seen = 时间线上出现过的也要
reader-with-seen-hint = 不选时，摘要从您上次查看时间线之后算起。已经打开读过的文章总是不再出现。
reader-hour-wrong = 请选择 0 到 23 点。
reader-quiet-wrong = 免打扰的开始和结束不能是同一时间。
reader-weekday-wrong = 请选择星期几。
weekday-1 = 星期一
weekday-2 = 星期二
weekday-3 = 星期三
weekday-4 = 星期四
weekday-5 = 星期五
weekday-6 = 星期六
weekday-7 = 星期日

# 摘要邮件里的链接
reader-manage-title = 管理订阅
reader-manage-intro = { $email } 订阅的公众号和接收方式。
reader-manage-hint = 本页仅供您个人使用：知道此网址的人都可以更改您的订阅。
reader-manage = 管理订阅
reader-accounts = 公众号
reader-all = 全部改为：
reader-stop-title = 停收摘要？
reader-stop-text = { $email } 将不再收到摘要。以下公众号不再发邮件给您，但仍是您的订阅；立即通知的公众号不受影响：
reader-stop = 停收摘要
reader-other-ways = 改为调整时间和频率
reader-stopped-title = 已停收摘要
reader-stopped-text = { $email } 不再收到摘要。订阅仍然保留，随时可以为每个公众号重新选择。
reader-none-text = { $email } 没有摘要。

# 摘要
digest-mail-daily = 每日摘要
digest-mail-weekly = 每周摘要
digest-mail-subject = { $digest }：{ $title }
digest-mail-subject-many = { $digest }：{ $title }（等 { $count } 篇）
digest-mail-heading = { NUMBER($accounts) } 个公众号，{ NUMBER($count) } 篇新文章
digest-mail-since = 从您上次查看时间线算起（{ $time }）
digest-mail-more-of = 该公众号还有 { NUMBER($count) } 篇
digest-mail-more = 查看全部，还有 { NUMBER($count) } 篇
digest-mail-timeline = 到网站阅读
digest-mail-why = 您用 { $email } 订阅了这些公众号，因此收到这封摘要。
digest-mail-manage = 更改时间和频率
digest-mail-stop = 停收摘要
