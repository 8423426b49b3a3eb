# 订阅
subscription-subscribe = 订阅
subscription-subscribe-title = 订阅{ $name }
subscription-email = 邮箱地址
subscription-email-hint = 我们会发一封确认邮件。无需注册，随时一键退订。
subscription-back-to = 返回{ $name }
subscription-asked-title = 请查收邮件
subscription-asked-text = { $name }的确认邮件已经发出。点开邮件中的链接，订阅即可生效。
subscription-asked-hint = 几分钟后仍未收到？请查看垃圾邮件，或核对地址后重试。

# 确认
subscription-confirm-title = 确认订阅
subscription-confirm-text = { $name }有新文章时，会发到 { $email }。
subscription-confirm-button = 确认订阅
subscription-confirm-hint = 如果不是您本人的操作，关闭本页即可，不会向您发送任何内容。
subscription-link-expired = 链接已过期，请重新订阅以获取新的链接。

# 管理
subscription-manage-title = 管理订阅
subscription-manage-hint = 本页仅供您个人使用：知道此网址的人都可以更改您的订阅。
subscription-list-title = 我的订阅
subscription-list-intro = 您订阅的公众号，以及接收方式。
subscription-list-empty-title = 还没有订阅
subscription-list-empty-text = 打开公众号主页即可订阅，新文章会发到您的邮箱和时间线。
subscription-status-pending = 等待您确认邮箱
subscription-status-instant = 新文章立即发到邮箱
subscription-status-daily = 每天一封邮件
subscription-status-weekly = 每周一封邮件
subscription-status-muted = 不发邮件，只在时间线显示
subscription-status-paused = 已暂停
subscription-status-ended = 已退订
subscription-refused = 该邮箱拒收邮件，已停止发送：{ $words }
subscription-pause = 暂停
subscription-resume = 恢复
subscription-leave = 退订
subscription-rejoin = 重新订阅
subscription-other-ways = 改为暂停或更改
subscription-leave-title = 确定退订？
subscription-leave-text = { $name }将不再向 { $email } 发送邮件。
subscription-left-title = 已退订
subscription-left-text = { $name }将不再向 { $email } 发送邮件。欢迎随时回来。
subscription-nothing-left = 本站已不再保存这项订阅，今后不会再有邮件寄来。

flash-subscription-begun = 订阅成功。
flash-subscription-confirmed = 谢谢，订阅已生效。
flash-subscription-instant = 有新文章会立即发邮件给您。
flash-subscription-daily = 以后每天收到一封摘要。
flash-subscription-weekly = 以后每周收到一封摘要。
flash-subscription-muted = 不再发送邮件，新文章请看时间线。
flash-subscription-paused = 已暂停，恢复之前不会通知您。
flash-subscription-resumed = 已恢复。
flash-subscription-left = 已退订。
flash-subscription-rejoined = 欢迎回来，已重新订阅。

# 邮件
subscription-letter-confirm-subject = 请确认订阅{ $name }
subscription-letter-confirm-intro = 有人（希望是您本人）想用这个邮箱接收{ $name }的新文章。请点击确认：
subscription-letter-confirm-button = 确认订阅
subscription-letter-confirm-note = 链接 7 天内有效。如果不是您本人的操作，忽略此邮件即可，我们不会再打扰您。
subscription-letter-already-subject = 您已订阅{ $name }
subscription-letter-already-intro = 有人（希望是您本人）想用这个邮箱订阅{ $name }。该邮箱已经订阅，无需任何操作。您可以在这里更改、暂停或退订：
subscription-letter-already-button = 管理订阅
subscription-letter-already-note = 如果不是您本人的操作，忽略此邮件即可，一切照旧。

# API
subscription-state-wrong = 只能设为 active 或 paused；退订请删除该订阅。
