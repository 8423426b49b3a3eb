# The frame of every page
skip-to-content = 跳到正文
site-name = 鄉訊
site-tagline = 來自家鄉的消息，一篇不漏
search = 搜尋
search-placeholder = 搜尋文章
nav-main = 主導覽
nav-pages = 翻頁
nav-timeline = 時間線
nav-studio = 工作室
nav-settings = 設定
nav-sign-in = 登入
nav-sign-out = 登出
nav-home = 首頁
nav-language = 語言
nav-feed = 訂閱源
nav-api = 開放介面
nav-locale-short = 繁
save = 儲存
cancel = 取消
pager-older = 更早的文章
pager-newest = 回到最新
verified = 已認證
optional = 選填

# Front page
home-latest = 最新文章
home-accounts = 可以訂閱的公眾號
home-empty-title = 這裡還沒有文章
home-empty-text = 第一個公眾號發布文章以後，文章會出現在這裡。
home-empty-open = 開一個公眾號
home-end = 沒有更早的文章了。

# An account's public page
account-articles = { $count ->
    [0] 還沒有文章
   *[other] { NUMBER($count) } 篇文章
}
account-no-articles-title = 還沒有文章
account-no-articles-text = 訂閱之後，第一篇文章會寄到您的信箱。
account-feeds = 用閱讀器訂閱

# Subscribing
subscribe = 訂閱
subscribed = 已訂閱
subscribe-to = 訂閱「{ $name }」
subscribe-hint = 有新文章時寄到您的信箱，不需要註冊，隨時可以一鍵退訂。
subscribe-hint-signed-in = 有新文章時寄到 { $email }，也會出現在您的時間線上。
subscribe-email = 電子郵件地址
subscribe-manage = 管理訂閱
subscribed-hint = 有新文章時會告訴您。

# An article
article-minutes = 約 { $count } 分鐘
article-original = 閱讀原文
article-previous = 上一篇
article-next = 下一篇
article-neighbours = 前後文章
article-tags = 標籤
article-updated = { $date } 更新
article-contents = 目錄
article-related = 相關文章

# Passing an article on
share = 分享
share-url = 連結
share-copy = 複製連結
share-copied = 連結已複製
share-apps = 用其他應用程式分享
share-mail = 用郵件寄送
share-qr = 本文網址的 QR 碼
share-scan = 用手機掃一掃，在手機上閱讀或轉寄

# Error pages
error-title-403 = 沒有權限
error-title-404 = 找不到這個頁面
error-title-409 = 內容已經變了
error-title-410 = 內容已不在這裡
error-title-413 = 內容太大
error-title-422 = 請檢查填寫的內容
error-title-429 = 請稍等片刻
error-title-500 = 伺服器出了問題
error-title-other = 沒有成功
error-back = 返回上一頁

# Without a network
offline-title = 沒有網路
offline-text = 這一頁還沒有讀過，連上網路之後才能打開。讀過的文章和收藏可以繼續看。
