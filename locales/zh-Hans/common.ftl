# The frame of every page
skip-to-content = 跳到正文
site-name = 乡讯
site-tagline = 来自家乡的消息，一篇不漏
search = 搜索
search-placeholder = 搜索文章
nav-main = 主导航
nav-pages = 翻页
nav-timeline = 时间线
nav-studio = 工作室
nav-settings = 设置
nav-sign-in = 登录
nav-sign-out = 退出登录
nav-home = 首页
nav-language = 语言
nav-feed = 订阅源
nav-api = 开放接口
nav-locale-short = 简
save = 保存
cancel = 取消
pager-older = 更早的文章
pager-newest = 回到最新
verified = 已认证
optional = 选填

# Front page
home-latest = 最新文章
home-accounts = 可以订阅的公众号
home-empty-title = 这里还没有文章
home-empty-text = 第一个公众号发布文章以后，文章会出现在这里。
home-empty-open = 开一个公众号
home-end = 没有更早的文章了。

# An account's public page
account-articles = { $count ->
    [0] 还没有文章
   *[other] { NUMBER($count) } 篇文章
}
account-no-articles-title = 还没有文章
account-no-articles-text = 订阅之后，第一篇文章会寄到您的邮箱。
account-feeds = 用阅读器订阅

# Subscribing
subscribe = 订阅
subscribed = 已订阅
subscribe-to = 订阅“{ $name }”
subscribe-hint = 有新文章时寄到您的邮箱，不需要注册，随时可以一键退订。
subscribe-hint-signed-in = 有新文章时寄到 { $email }，也会出现在您的时间线上。
subscribe-email = 电子邮箱
subscribe-manage = 管理订阅
subscribed-hint = 有新文章时会告诉您。

# An article
article-minutes = 约 { $count } 分钟
article-original = 阅读原文
article-previous = 上一篇
article-next = 下一篇
article-neighbours = 前后文章
article-tags = 标签
article-updated = { $date } 更新
article-contents = 目录
article-related = 相关文章

# Passing an article on
share = 分享
share-url = 链接
share-copy = 复制链接
share-copied = 链接已复制
share-apps = 用其他应用分享
share-mail = 用邮件发送
share-qr = 本文网址的二维码
share-scan = 用手机扫一扫，在手机上阅读或转发

# Error pages
error-title-403 = 没有权限
error-title-404 = 找不到这个页面
error-title-409 = 内容已经变了
error-title-410 = 内容已不在这里
error-title-413 = 内容太大
error-title-422 = 请检查填写的内容
error-title-429 = 请稍等片刻
error-title-500 = 服务器出了问题
error-title-other = 没有成功
error-back = 返回上一页

# Without a network
offline-title = 没有网络
offline-text = 这一页还没有读过，联网之后才能打开。读过的文章和收藏可以继续看。
