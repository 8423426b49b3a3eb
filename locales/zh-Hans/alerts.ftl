# 保存搜索
alert-save-search = 有新文章时通知我
alert-new = 新提醒
alert-new-title = 保存搜索，有新文章时通知我
alert-new-hint = 邮件寄往 { $email }，每封都可一键停止。只有您自己看得到这里的内容。
alert-query = 搜索内容
alert-query-hint = 与搜索框写法相同。文章须原样包含全部词语，才会通知您。
alert-reads = 读作
alert-lately = 最近 30 天有 { NUMBER($count) } 篇文章符合。
alert-name = 名称
alert-name-hint = 写在邮件标题里；不填则使用搜索内容。
alert-cadence = 通知方式
alert-cadence-instant = 立即，每篇一封邮件
alert-cadence-daily = 每天一封，汇总新文章
alert-cadence-weekly = 每周一封，汇总新文章
alert-save = 保存
alert-query-empty = 请写下要找的词语。
alert-query-too-long = 搜索内容最多 { $most } 个字符。
alert-name-wrong = 请填写 1 到 { $most } 个字符的名称。
alert-cadence-missing = 请选择通知方式。
alert-saved-already = 您已经保存过同样的搜索。
alert-too-many = 每人最多保存 { $most } 个搜索，请先删除不再需要的。

# 设置
alert-list-title = 搜索提醒
alert-list-intro = 新文章一发布，就与您保存的搜索比对；符合的寄往 { $email }。
alert-list-empty-title = 还没有搜索提醒
alert-list-empty-text = 搜索之后点“有新文章时通知我”，就会出现在这里。
alert-hits = 找到 { NUMBER($count) } 篇
alert-waiting = { NUMBER($count) } 篇待下次寄出
alert-last-told = 上次邮件：{ $date }
alert-never-told = 还没有寄过邮件
alert-paused = 已暂停
alert-change = 更改
alert-pause = 暂停
alert-resume = 恢复
alert-delete = 删除
flash-alert-saved = 已保存，有符合的新文章就会通知您。
flash-alert-changed = 已更改。
flash-alert-paused = 已暂停，恢复之前不会通知您。
flash-alert-resumed = 已恢复。
flash-alert-deleted = 已删除。

# 邮件里的链接
alert-stop = 停止通知
alert-stop-title = 停止这个搜索提醒？
alert-stop-text = “{ $name }”有新文章时，将不再发邮件给您。其他提醒和订阅不受影响。
alert-stopped-title = 已停止
alert-stopped-text = “{ $name }”不再发邮件给您。其他提醒和订阅不受影响。

# 邮件
alert-mail-subject = { $name }：{ $title }
alert-mail-subject-many = { $name }：{ $title }（等 { NUMBER($count) } 篇）
alert-mail-heading = 搜索提醒：{ $name }
alert-mail-more = 另有 { NUMBER($count) } 篇，查看全部
alert-mail-all = 在网站上查看
alert-mail-why = 您保存了搜索“{ $query }”，因此收到这封邮件。
alert-mail-stop = 停止这个提醒
alert-mail-manage = 管理搜索提醒
