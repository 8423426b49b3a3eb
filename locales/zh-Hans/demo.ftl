demo-site-name = 乡讯演示站
demo-mail-title = 演示邮箱
demo-mail-intro = 演示站发出的邮件都留在这里，不会寄给任何人。
demo-mail-empty = 还没有邮件
demo-mail-empty-hint = 订阅一个公众号，或在工作室群发一篇文章，邮件就会出现在这里。
demo-letter-text = 纯文本
demo-letter-headers = 邮件头
